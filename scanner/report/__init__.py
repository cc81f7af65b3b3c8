"""The report that people act on: one HTML page and one JSON file, both from one model of the findings.

>>> from scanner.report import write_report
>>> write_report(run, pictures=None)                                         # doctest: +SKIP
"""

from scanner.report._calibration import CalibratedRun, calibration_headline, calibration_notes, tiny, write_calibration
from scanner.report._findings import SCHEMA_VERSION, Coverage, Findings, Recall
from scanner.report._gather import gather
from scanner.report._intervals import Rate, clopper_pearson, rate
from scanner.report._pictures import OtherRun, Pictures
from scanner.report._recall import measured_recall, recall_words
from scanner.report._write import write_report

__all__ = [
    "SCHEMA_VERSION",
    "CalibratedRun",
    "Coverage",
    "Findings",
    "OtherRun",
    "Pictures",
    "Rate",
    "Recall",
    "calibration_headline",
    "calibration_notes",
    "clopper_pearson",
    "gather",
    "measured_recall",
    "rate",
    "recall_words",
    "tiny",
    "write_calibration",
    "write_report",
]
