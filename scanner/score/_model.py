"""What a score says, as plain data: the terminal, score.json and the tests read the same fields."""

from dataclasses import dataclass

from scanner.report import Rate


@dataclass(frozen=True, kw_only=True)
class Joined:
    """How far the truth and the run speak of the same rows."""

    rows: int
    """Rows of the truth."""
    in_run: int
    """Those that the run's audit read."""
    pictures: int
    """Different pictures of the truth."""
    twins: int
    """Those that were never planted."""
    twins_in_run: int
    """Twins of which the audit read a row; without any there is no negative control."""


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """What became of the pictures of some number of copies, step by step; each count is part of the pictures."""

    name: str
    """The copies: 8, or 2–3."""
    pictures: int
    """Pictures that the truth has."""
    read: int
    """At least one row was read by the audit."""
    grouped: int
    """At least two of their rows stand in one duplicate group."""
    prompted: int
    """One of their captions is a prompt of either arm."""
    tried: int
    """Such a prompt was among those that the attack took (its --prompts and --control)."""
    attacked: int
    """Images were generated for it: it passed triage, or is a control."""
    verified: int
    """Given back: some attacked prompt was verified against a row that shows the picture."""
    recall: Rate
    """Of the whole chain: verified of all pictures."""
    attack_recall: Rate
    """Of the attack alone: verified of those attacked."""


@dataclass(frozen=True, kw_only=True)
class Confused:
    """Prompts of one kind in truth, by their verdict."""

    truth: str
    """A layout's variants, planted twice or more, planted once, never planted, or not in the truth."""
    matching: int
    template: int
    retrieved: int
    none: int
    not_attacked: int
    """Tried, and stopped by triage or by a budget."""
    right_picture: int
    """Verified prompts whose original shows a picture that the truth has under their caption."""


@dataclass(frozen=True, kw_only=True)
class ErrorRates:
    """How often one verdict is right, and how much of what was planted it finds; over attacked prompts."""

    verdict: str
    """matching, template, retrieved, or any of them."""
    given: int
    """Prompts with this verdict."""
    not_known: int
    """Those whose picture the truth does not know; they are in no rate."""
    precision: Rate
    """Of the others, those that name a picture planted twice or more (matching: under their own caption)."""
    recall: Rate
    """Of the prompts whose picture was planted `memorised_from` times or more (template: of those of a layout; any: of
    both), those with this verdict, rightly."""
    false_positives: Rate
    """Of the prompts whose picture was planted once at most or never, and of controls, those with this verdict."""


@dataclass(frozen=True, kw_only=True)
class ScoreCurve:
    """How well one stored score tells planted prompts from others, and its threshold for a wanted precision."""

    score: str
    """agreement_l2, normalised_l2, ..., as in `scanner.score.SCORES`."""
    passes: str
    """at most or at least: on which side of a threshold a prompt passes."""
    positives: int
    """Attacked prompts whose picture was planted `memorised_from` times or more."""
    negatives: int
    """Attacked prompts whose picture was planted once at most, never, or stands in the control arm."""
    scored: int
    """Those of both that have the score; the others pass no threshold."""
    auc: float | None
    """Area under the ROC; None without positives or negatives."""
    average_precision: float | None
    """Area under the precision-recall curve, by steps; None without positives."""
    wanted_precision: float
    """As asked for."""
    threshold: float | None
    """The one of that precision or more that most positives pass; None where there is none."""
    precision: Rate
    """Positives of the prompts that pass it; of nothing where there is none."""
    recall: Rate
    """Positives that pass it."""
    false_positives: Rate
    """Negatives that pass it."""


@dataclass(frozen=True, kw_only=True)
class Roc:
    """How well one detector tells some prompts (positives) from others (negatives)."""

    detector: str
    """Its name."""
    positives_are: str
    """Which prompts it should notice."""
    positives: int
    """How many they are."""
    negatives: int
    """Prompts whose picture was planted once at most: controls, twins."""
    auc: float | None
    """Area under the ROC: the chance that a positive scores higher than a negative; None without either."""
    tpr: Rate
    """Positives above the threshold that the negatives set, at `false_positive_rate`."""
    false_positive_rate: float | None
    """1 %, or 1 / negatives where fewer than 100 can't support that; None without negatives."""
    evaluations: float
    """Denoiser evaluations per prompt."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What the prompts of an arm cost, and what a hit costs."""

    arm: str
    """risk, control or both."""
    tried: int
    """Prompts that the attack took."""
    hits: int
    """Prompts of the risk arm that were verified (of the control arm, in its own line)."""
    triage_evaluations: int
    """Denoiser evaluations of all detectors."""
    search_images: int
    """Images of the search rounds."""
    search_evaluations: int
    """Their denoiser evaluations."""
    evidence_images: int
    """Full-step images of what the search accepted."""
    evidence_evaluations: int
    """Their denoiser evaluations."""
    images_per_hit: float | None
    """All images by hits; None without hits."""
    evaluations_per_hit: float | None
    """All evaluations by hits; None without hits."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A run held against the truth."""

    headline: str
    """One sentence."""
    attacked: bool
    """Whether the run was attacked; an audit alone is scored up to its prompts."""
    joined: Joined
    """Truth and run."""
    memorised_from: int
    """Copies that make a prompt a positive of the detectors' ROC."""
    funnel: tuple[Funnel, ...]
    """Planted pictures, by copies."""
    twins: Funnel | None
    """The never-planted ones; verified ones are false. None where the truth has none."""
    confusion: tuple[Confused, ...]
    """Verdicts against the truth; empty without an attack."""
    error_rates: tuple[ErrorRates, ...]
    """Of each verdict, and of all together; empty without an attack."""
    curves: tuple[ScoreCurve, ...]
    """Of every stored score that some prompt has; empty without an attack."""
    detectors: tuple[Roc, ...]
    """Of every detector that ran, against each kind of positives; empty without triage."""
    costs: tuple[Cost, ...]
    """By arm; empty without an attack."""
    notes: tuple[str, ...]
    """What a reader has to know, in sentences."""
