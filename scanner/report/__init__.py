"""The report that people act on: one HTML page and the files beside it, all from one model of the findings.

>>> from scanner.report import write_report
>>> write_report(run, pictures=None)                                         # doctest: +SKIP
"""

from scanner.report._attack import prompt_frame
from scanner.report._audit import check_tables, count_duplicates, count_rows
from scanner.report._calibration import CalibratedRun, calibration_headline, calibration_notes, tiny, write_calibration
from scanner.report._findings import (
    SCHEMA_VERSION,
    Arm,
    Check,
    Coverage,
    Duplicates,
    Findings,
    Method,
    Recall,
    Rows,
    Unconditional,
)
from scanner.report._gather import gather, is_complete
from scanner.report._intervals import Rate, clopper_pearson, rate
from scanner.report._method import method, name_of, thresholds
from scanner.report._page import render_page, write_page
from scanner.report._pictures import OtherRun, Picture, Pictures, thumbnails
from scanner.report._recall import measured_recall, recall_words
from scanner.report._records import Setting
from scanner.report._review import by_eye, review_words
from scanner.report._roc import auc, passing, spread
from scanner.report._schema import report_schema
from scanner.report._seal import verify as verify_report
from scanner.report._show import visible, web_link
from scanner.report._words import count, interval, percent, scoped
from scanner.report._write import figure, report_path, write_report

__all__ = [
    "SCHEMA_VERSION",
    "Arm",
    "CalibratedRun",
    "Check",
    "Coverage",
    "Duplicates",
    "Findings",
    "Method",
    "OtherRun",
    "Picture",
    "Pictures",
    "Rate",
    "Recall",
    "Rows",
    "Setting",
    "Unconditional",
    "auc",
    "by_eye",
    "calibration_headline",
    "calibration_notes",
    "check_tables",
    "clopper_pearson",
    "count",
    "count_duplicates",
    "count_rows",
    "figure",
    "gather",
    "interval",
    "is_complete",
    "measured_recall",
    "method",
    "name_of",
    "passing",
    "percent",
    "prompt_frame",
    "rate",
    "recall_words",
    "render_page",
    "report_path",
    "report_schema",
    "review_words",
    "scoped",
    "spread",
    "thresholds",
    "thumbnails",
    "tiny",
    "verify_report",
    "visible",
    "web_link",
    "write_calibration",
    "write_page",
    "write_report",
]
