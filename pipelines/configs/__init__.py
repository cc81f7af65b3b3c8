"""The options of the commands: one frozen dataclass each, whose field docstrings are the command line's help.

Apart from the recipes, so that `scanner --help` needs no torch.

>>> AttackOptions(prompts=20).triage
'wen'
"""

from pipelines.configs._attack import DETECTORS, KEPT_IMAGES, PAPER_SEEDS, AttackOptions
from pipelines.configs._audit import (
    DEFAULT_MODEL,
    DEFAULT_PRETRAINED,
    KEEP_POLICIES,
    AuditConfig,
    AuditExtras,
    CalibrateConfig,
    DownloadConfig,
    refuse_unknown_policy,
)
from pipelines.configs._export import ExportOptions
from pipelines.configs._lab import DEFAULT_PLAN, FAMILIES, PlantConfig, ScoreConfig, TrainConfig
from pipelines.configs._page import PageOptions
from pipelines.configs._plan import PlanOptions
from pipelines.configs._policy import RISK_CLASSES, Policy, Rule
from pipelines.configs._review import ReviewOptions
from pipelines.configs._target import FITTING, TargetOptions

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_PLAN",
    "DEFAULT_PRETRAINED",
    "DETECTORS",
    "FAMILIES",
    "FITTING",
    "KEEP_POLICIES",
    "KEPT_IMAGES",
    "PAPER_SEEDS",
    "RISK_CLASSES",
    "AttackOptions",
    "AuditConfig",
    "AuditExtras",
    "CalibrateConfig",
    "DownloadConfig",
    "ExportOptions",
    "PageOptions",
    "PlanOptions",
    "PlantConfig",
    "Policy",
    "ReviewOptions",
    "Rule",
    "ScoreConfig",
    "TargetOptions",
    "TrainConfig",
    "refuse_unknown_policy",
]
