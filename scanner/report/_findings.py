"""The model of the findings: what the HTML page and report.json both show, and all that they show.

`scanner.report._gather` builds it from the run's tables; nothing downstream reads a table again, except for
the pixels of the pictures named here. So the page and the JSON file can't disagree.

    >>> from dataclasses import asdict
    >>> asdict(gather(Run.open(Path("RUN"))))["rows"]["read"]                    # doctest: +SKIP
"""

from dataclasses import dataclass

from scanner.report._annex_model import Annex
from scanner.report._intervals import Rate
from scanner.report._plotted import Concentration, DetectorCurve, Distances
from scanner.report._records import (
    CaptionUse,
    CopiesBucket,
    CoverageStep,
    Detector,
    ErrorCount,
    ErrorRow,
    Family,
    Group,
    Hit,
    LeftOut,
    Match,
    Memorised,
    Mitigated,
    Prompt,
    RiskClass,
    Setting,
)
from scanner.review import Review

SCHEMA_VERSION = "1.11"
"""Of report.json: the second number grows when a field is added, the first when one changes its meaning."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A statement about the tables that was tested while the report was made."""

    name: str
    """Short and stable: rows_in, ..."""
    passed: bool
    """Whether it holds."""
    sentence: str
    """What was compared with what, with the numbers."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What went into the scan: rows in = rows read + rows in the ledger, set aside or failed."""

    rows_in: int
    """Rows of the data set: read, set aside and failed."""
    read: int
    """Rows with an image that was read, or with an embedding where the data set has no images."""
    set_aside: int
    """Rows in the ledger that the user's own settings (--where, --sample) left out."""
    failed: int
    """Rows in the ledger that could not be had."""
    remarks: int
    """Ledger entries without a key: they concern a shard, such as one that is cut, and are no rows."""
    without_caption: int
    """Rows that were read and have no caption."""


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """What was found twice or more often."""

    groups: int
    """Duplicate groups: two or more copies of one picture."""
    rows: int
    """Rows in any of them."""
    share: float | None
    """Of the rows read; None when none was read."""
    redundant: int
    """Rows that would go if one copy of each group stayed."""
    largest: int
    """Copies in the largest group; 0 without groups."""
    same_caption: int
    """Groups whose copies all carry one caption."""
    split: int
    """Groups that were split from a larger chained one."""
    buckets: tuple[CopiesBucket, ...]
    """Groups by copies."""
    pictures: bool
    """Whether pictures were looked at; False where the data set has embeddings alone, and their cosine decided."""
    cosine: float | None
    """The cosine that proposed a pair or, without pictures, decided; None while the scan is not finished."""


@dataclass(frozen=True, kw_only=True)
class Recall:
    """How much the search missed: some distinct pictures, drawn at random, were compared with all others one by one."""

    rows: int
    """Distinct pictures drawn (distinct embeddings where no picture was looked at)."""
    pairs: int
    """Near-duplicate pairs of them and any other, at most 100 of each, that the comparison accepted."""
    found: int
    """Of these, tied together by the search, before chained groups were split."""
    share: float | None
    """found / pairs; None where there was no pair."""
    whole: Rate
    """Of those drawn that have a near-duplicate, the ones all of whose pairs the search found."""


@dataclass(frozen=True, kw_only=True)
class Captions:
    """What the captions say; near-duplicates: a suffix, a number, a typing error, another order of the words."""

    distinct: int
    """Different normalised captions."""
    clusters: int
    """Different ones once near-duplicates count as one."""
    near: int
    """Captions that have a near-duplicate."""
    shared: int
    """Captions (near-duplicates counted as one) that stand under two different pictures or more."""
    most: tuple[CaptionUse, ...]
    """Those of them over most pictures."""


@dataclass(frozen=True, kw_only=True)
class Matches:
    """How much of another run is in this one."""

    dataset: str
    """The other run's data set."""
    run: str
    """Its directory."""
    other_rows: int
    """Rows of the other run."""
    rows: int
    """Rows of this run that show a picture of it."""
    pictures: int
    """Pictures of the other run that these show."""
    equal: int
    """Of the rows, those with equal pixels."""
    alike: int
    """Of the rows, those that are near-duplicates."""


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Pictures that share a part (a logo, a frame, a form) and are not copies; none of them counts as a duplicate."""

    looked: bool
    """Whether close looks were made, which alone find them."""
    families: int
    """Template families; 0 where nobody looked."""
    pictures: int
    """Pictures in them: duplicate groups, and rows in no group."""
    rows: int
    """Rows that show one of these."""
    largest: int
    """Pictures of the largest family."""
    alike_but_for_a_part: int | None
    """Where nobody looked: pairs of pictures whose thumbnails agree on the whole and differ in one place."""
    most: tuple[Family, ...]
    """The families of most pictures."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What the risk arm stands for."""

    groups: int
    """Duplicate groups."""
    covered: int
    """Those that a prompt stands for."""
    no_caption: int
    """Those without, since no copy has a caption."""
    caption_taken: int
    """Those without, since all their captions stand in the list for other pictures."""
    families: int
    """Template families that a prompt stands for."""
    steps: tuple[CoverageStep, ...]
    """By number of prompts."""


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """A measured curve that the classes are read beside: of another attack, under its target's name."""

    target: str
    """The target it was measured on."""
    protocol: str
    """What was done."""
    copies: tuple[tuple[str, Rate], ...]
    """By copies: verified prompts of those tried; ranges of which none was tried are left out."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The prompt ranking as a whole."""

    classes: tuple[RiskClass, ...]
    """high, medium, low."""
    quoted: Quoted
    """Where the quoted figures of the classes come from."""
    coverage: Coverage | None
    """What the list covers; None while the audit is not finished."""
    left_out: tuple[LeftOut, ...]
    """Groups that no prompt stands for, most copies first; the whole list is left_out.parquet."""


@dataclass(frozen=True, kw_only=True)
class RiskClasses:
    """How many duplicate groups are in each class of risk, by their riskiest caption."""

    high: int
    """Groups."""
    medium: int
    """Groups."""
    low: int
    """Groups."""


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What to do about the duplicate groups, and what it would do: by the formula of the risk, not measured."""

    policy: str
    """Which row of a group stays: largest, caption or first."""
    order: str
    """What that came to: pixels, original_pixels, caption or first."""
    kept: str
    """The same in words."""
    groups: int
    """Duplicate groups."""
    dropped: int
    """Rows that go when one of each group stays."""
    recaptioned: int
    """Rows to give a caption of their own when all stay."""
    recaptioned_groups: int
    """Groups that they are in."""
    riskier: int
    """Of these groups, those whose risk would be higher: boilerplate points at no picture, an own caption does."""
    before: RiskClasses
    """As they are."""
    after_drop: RiskClasses
    """Once one row of each stays."""
    after_recaption: RiskClasses
    """Once re-captioned."""
    most: tuple[Mitigated, ...]
    """The groups of most copies."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What was spent on one arm."""

    triage_evaluations: int
    """Denoiser evaluations of the detectors."""
    search_images: int
    """Images generated in the search rounds."""
    evidence_images: int
    """Full-step images generated as evidence."""
    image_evaluations: int | None
    """Denoiser evaluations of the generated images; None where nobody can know: an API, images made elsewhere."""
    images: int
    """Search and evidence images."""
    evaluations: int | None
    """Denoiser evaluations of detectors and images; None where those of the images are not known."""
    images_per_hit: float | None
    """All images of the arm / its verified hits; None without hits."""
    evaluations_per_hit: float | None
    """All denoiser evaluations of the arm / its verified hits; None without hits, or where they are not known."""


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """Images that were asked for and are not there, or can't be compared, for one reason."""

    defect: str
    """The reason: refused, timeout, no_image, flat, ..."""
    images: int
    """Images asked for."""
    prompts: int
    """Prompts that they were asked of."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One arm of the trial, from its prompts to its hits."""

    arm: str
    """risk or control."""
    prompts: int
    """Prompts drawn."""
    tried: int
    """Prompts with a triage score or generated images."""
    scored: int
    """Prompts with a triage score."""
    passed: int
    """Prompts that every detector let through."""
    attacked: int
    """Prompts for which images were generated."""
    accepted: int
    """Attacked prompts whose generations agree in the search rounds."""
    rejected: int
    """Attacked prompts given up: a miss had become improbable enough."""
    undecided: int
    """Attacked prompts that are neither: the images ran out."""
    checked: int
    """Prompts with full-step evidence, compared with the originals."""
    matching: int
    """Verified: the prompt's own image."""
    template: int
    """Verified: the layout that several training images share, with something else where these differ."""
    retrieved: int
    """Verified: another training image than the prompt's own."""
    displaced: int
    """Not verified, and no hit: attacked prompts that gave back a training image mirrored or shifted."""
    originals: int
    """Different training images that the verified prompts gave back (unique hits): rows of one duplicate group are one
    image, and several captions may bring back the same."""
    verified: Rate
    """Verified hits (matching, template or retrieved) of the prompts tried."""
    verified_of_attacked: Rate
    """The same hits of the attacked prompts: what triage held back left out."""
    cliques: Rate
    """Prompts that were accepted, of those attacked: where nothing was compared with the originals
    (`Findings.compared`), those that gave one image again and again."""
    paper_rule: Rate
    """Prompts with any generation within plain l2 0.15 of any original, of the prompts tried."""
    cost: Cost
    """What the arm took."""


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What the verdicts and the triage were read against, as the attack recorded it."""

    normalised_l2: float | None
    """A generation within it agrees with an original."""
    lowered: bool | None
    """Whether the control arm pulled it below the ceiling that was set beforehand; None when not recorded."""
    template_l2: float | None
    """A generation within it of a layout, in normalised l2 there alone, shows that layout; None where none was set."""
    masked_share: float | None
    """A masked region within so many medians of the l2 of two originals there is copied; None likewise."""
    triage: float | None
    """A triage score above it lets a prompt through."""
    false_positive_rate: float | None
    """Share of controls allowed past a threshold; never finer than 1 / controls."""


@dataclass(frozen=True, kw_only=True)
class BehindHits:
    """The training images that came back, in either arm."""

    groups: int
    """Duplicate groups that hold one of them."""
    rows: int
    """Rows in these groups."""
    singles: int
    """Originals that are in no group."""


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """Extraction at one range of copies."""

    label: str
    """1, 2-3, 4-7, ..., 128+."""
    arm: str
    """control for the prompts of non-duplicated rows, risk for all others."""
    prompts: int
    """Prompts in the range."""
    verified: Rate
    """Verified hits of the prompts tried."""
    originals: int
    """Different training images that these hits gave back (unique hits): rows of one duplicate group are one."""
    above_control: bool | None
    """Whether the whole interval lies above that of the control arm, the floor; None without controls, and for them."""


@dataclass(frozen=True, kw_only=True)
class KRange:
    """Hits of one range of k."""

    label: str
    """0, 1, 2-3, 4-7, ..., 128+."""
    hits: int
    """Verified prompts of either arm."""
    originals: int
    """Different training images that they gave back."""


@dataclass(frozen=True, kw_only=True)
class Eidetic:
    """k of (k, l, δ)-eidetic memorisation over the hits: training rows within l2 0.1 of the original."""

    hits: int
    """Hits whose k is known."""
    smallest: int
    """Of their k."""
    median: int
    """Of their k; the lower of the middle two."""
    largest: int
    """Of their k."""
    ranges: tuple[KRange, ...]
    """By k, smallest first; empty ranges are left out."""


@dataclass(frozen=True, kw_only=True)
class SignalCount:
    """How far one kind of signal reaches over the duplicate groups."""

    kind: str
    """licence, copyright, opt_out, ..."""
    name: str
    """The same in words."""
    groups: int
    """Groups of which a row says something of the kind."""
    rows: int
    """Rows of groups that do."""


@dataclass(frozen=True, kw_only=True)
class Signals:
    """What columns and image files say of rights, people and opt-outs: quoted, never judged."""

    recorded: bool
    """Whether every shard was read for signals; False in runs that were made before there were any."""
    refused: int
    """Rows that are not in the run since their server's X-Robots-Tag refused this use, as img2dataset recorded."""
    by_kind: tuple[SignalCount, ...]
    """Over the rows in duplicate groups."""


@dataclass(frozen=True, kw_only=True)
class ByCopies:
    """How many pictures of a range of copies came back of a model that takes no prompt."""

    label: str
    """1, 2-3, 4-7, ..., 128+."""
    memorised: Rate
    """Shown by two generations or more within the threshold, of the pictures in the range."""
    paper: Rate
    """Shown by at least one generation of adaptive distance below 1 (Carlini et al. 2023)."""


@dataclass(frozen=True, kw_only=True)
class Unconditional:
    """The attack on a model that takes no prompt."""

    images: int
    """Images generated."""
    usable: int
    """Of these, those that could be compared."""
    evaluations: int
    """Denoiser evaluations."""
    threshold: float
    """Adaptive distance within which an image shows a training picture."""
    lowered: bool
    """Whether the controls lowered it below the paper's 1."""
    within: Rate
    """Usable images within the threshold."""
    candidates: Rate
    """Usable images of adaptive distance below 1: the paper's candidates."""
    controls_within: Rate
    """Training pictures that stand once and would pass the threshold against all others: false positives."""
    controls_paper: Rate
    """The same below 1."""
    memorised: int
    """Training pictures that two images or more show."""
    paper_pictures: int
    """Training pictures that a candidate of the paper shows."""
    by_copies: tuple[ByCopies, ...]
    """Extraction by copies in the training set, pictures that stand once first."""
    most: tuple[Memorised, ...]
    """Listed pictures, those that most images show first."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """How the figures came about."""

    scan: tuple[Setting, ...]
    """run.json."""
    attack: tuple[Setting, ...]
    """attack.json; empty when no attack was begun."""
    results: tuple[Setting, ...]
    """What the parts wrote into the manifest: thresholds, checksums, measured recall, ..."""
    versions: tuple[Setting, ...]
    """Of Python and the packages."""
    sources: tuple[tuple[str, str], ...]
    """Papers: reference and link."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One thing to do next."""

    title: str
    """What to do."""
    text: str
    """Why, with the numbers."""
    href: str | None
    """Where in the page to look: #hits, #groups, ..."""
    command: str | None = None
    """What to type, with RUN for the run's directory; None where there is no command for it."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything that the report shows."""

    schema_version: str
    """Of this model as JSON."""
    scanner_version: str
    """Of the scanner that wrote the report."""
    dataset: str
    """As the run's configuration names it."""
    target: str | None
    """The attacked model; None when no attack was begun."""
    attacked: bool
    """Whether any prompt was attacked."""
    compared: bool
    """Whether generations are looked up among the training images; without, nothing can be verified."""
    stopped: str | None
    """Why the attack ended before its rounds did: a budget; None where it did not."""
    complete: bool
    """Whether the manifest says that every part begun is finished."""
    headline: str
    """The finding in one sentence."""
    summary: str
    """How sure that is, in one or two sentences."""
    advice: tuple[Advice, ...]
    """What to do next, most urgent first."""
    rows: Rows
    """What was read."""
    duplicates: Duplicates
    """What was found twice."""
    recall: Recall | None
    """What of it was missed; None where the run has not measured it."""
    captions: Captions | None
    """What the captions say; None where the run has not compared them."""
    matches: Matches | None
    """Pictures of another run in this one; None where it was compared with none."""
    templates: Templates
    """Pictures that share a part."""
    ranking: Ranking | None
    """Classes and coverage of the high-risk prompts; None in runs that were made before there were classes."""
    repair: Repair | None
    """What to drop or to re-caption; None where the run has not worked it out."""
    arms: tuple[Arm, ...]
    """risk, then control."""
    thresholds: Thresholds
    """Set on the control arm."""
    unconditional: Unconditional | None
    """What came back of a model that takes no prompt; None for any other."""
    review: Review | None
    """What people who looked at hits and groups said (`scanner review`); None where nobody has decided anything."""
    behind_hits: BehindHits
    """What the hits gave back."""
    curve: tuple[CurvePoint, ...]
    """Copies against extraction; empty when nothing was attacked."""
    distances: Distances | None
    """Where the images of each arm's prompts agree; None where nothing was attacked or compared."""
    concentration: Concentration | None
    """Captions of the duplicate groups against their copies; None without groups."""
    eidetic: Eidetic | None
    """k of the hits; None without hits whose k is known."""
    signals: Signals
    """What the data say about the duplicated pictures."""
    hits: tuple[Hit, ...]
    """All hits, the risk arm first, by rank; the page shows the first of them."""
    groups: tuple[Group, ...]
    """Listed groups, most copies first."""
    matching: tuple[Match, ...]
    """Listed pictures of the other run, those that most rows show first."""
    prompts: tuple[Prompt, ...]
    """Listed prompts, the risk arm first, by rank."""
    detectors: tuple[Detector, ...]
    """Triage."""
    detector_curves: tuple[DetectorCurve, ...]
    """The same at every threshold."""
    error_counts: tuple[ErrorCount, ...]
    """The ledger by stage and reason."""
    errors: tuple[ErrorRow, ...]
    """Listed ledger entries."""
    method: Method
    """Settings, versions, sources."""
    checks: tuple[Check, ...]
    """What was tested while the report was made."""
    lacking: tuple[Lacking, ...]
    """Images that were asked for in vain, the most frequent reason first."""
    originals_missing: int
    """Rows that no generation could be compared with, since their image can't be had; 0 before an attack."""
    limits: tuple[str, ...]
    """What the figures do not say."""
    annex: Annex
    """Threat model, attacks in and out of scope, sample sizes, controls, and what the figures can serve for."""
