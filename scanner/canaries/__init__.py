"""Canaries: pictures that no data set holds, planted in known numbers, so that an attack's recall is measured.

For language models, planted canaries are how an audit's own detection rate is known (memaudit); here they are images
with captions, and every canary has a twin that is never planted.

>>> from scanner.canaries import Planting, parse_plan, plant, survey
>>> planting = Planting(plan=parse_plan("8x5,32x5"))
>>> plant(survey(dataset), dataset, Path("planted"), planting, Columns())             # doctest: +SKIP
"""

from scanner.canaries._canaries import Canary, draw_canaries
from scanner.canaries._copies import EDITS, Copy, Style, copies_of
from scanner.canaries._pictures import LEAST_DISTANCE
from scanner.canaries._plan import parse_plan
from scanner.canaries._plant import LAYOUTS, TRUTH, Planting, plant, refuse_unplantable
from scanner.canaries._survey import Survey, survey

__all__ = [
    "EDITS",
    "LAYOUTS",
    "LEAST_DISTANCE",
    "TRUTH",
    "Canary",
    "Copy",
    "Planting",
    "Style",
    "Survey",
    "copies_of",
    "draw_canaries",
    "parse_plan",
    "plant",
    "refuse_unplantable",
    "survey",
]
