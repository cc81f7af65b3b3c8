"""Hold a run against a truth table: what the chain of audit, triage, attack and verification finds of what was planted.

>>> from scanner.score import read_truth, score, write_score
>>> scored = score(run, read_truth(Path("truth.parquet")), names=("truth.parquet", "RUN"))      # doctest: +SKIP
"""

from scanner.score._curves import SCORES
from scanner.score._detectors import FALSE_POSITIVE_RATE
from scanner.score._funnel import STEPS
from scanner.score._model import Confused, Cost, ErrorRates, Funnel, Joined, Roc, Score, ScoreCurve
from scanner.score._score import Scored, score
from scanner.score._truth import read_truth
from scanner.score._write import PAGE, write_score

__all__ = [
    "FALSE_POSITIVE_RATE",
    "PAGE",
    "SCORES",
    "STEPS",
    "Confused",
    "Cost",
    "ErrorRates",
    "Funnel",
    "Joined",
    "Roc",
    "Score",
    "ScoreCurve",
    "Scored",
    "read_truth",
    "score",
    "write_score",
]
