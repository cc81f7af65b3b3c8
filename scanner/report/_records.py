"""The rows that the report lists: hits, groups, prompts, detectors and ledger entries.

They are built from the run's tables by `scanner.report._audit` and `scanner.report._attack`, and hold no
pixels: a picture is named by its `sample_id`, or by its prompt and image index.

    >>> ErrorCount(stage="decode", reason="truncated_image", rows=3).rows
    3
"""

from dataclasses import dataclass

from scanner.report._intervals import Rate


@dataclass(frozen=True, kw_only=True)
class SampleRef:
    """An image of the data set, by all its names."""

    sample_id: int
    """For joins with the tables."""
    shard: str
    """As the data set names it."""
    key: str
    """As the data set names it."""
    url: str | None
    """Where it came from, if the data set says."""
    width: int | None
    """Pixels; None where the image was not decoded."""
    height: int | None
    """Pixels; None where the image was not decoded."""
    caption: str | None
    """Its own caption, which need not be the prompt."""
    pixel_sha256: str | None
    """Of its decoded pixels; None where the image was not decoded."""
    file_sha256: str | None
    """Of its file; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """A picture of another run that stands in this one."""

    sample: SampleRef | None
    """The row of this run that is most like it."""
    rows: int
    """Rows of this run that show it."""
    other_sample_id: int
    """Its sample in the other run."""
    other_shard: str
    """As the other data set names it."""
    other_key: str
    """As the other data set names it."""
    other_url: str | None
    """Where it came from, if the other data set says."""
    other_caption: str | None
    """Its caption there."""
    other_copies: int
    """Rows of the other run in its duplicate group."""
    look: str
    """pixels, thumbnail or similarity."""
    similarity: float | None
    """Cosine of the embeddings, as the search used them."""
    hash_distance: int | None
    """Differing bits of the perceptual hashes; None without pictures."""
    look_distance: float | None
    """Mean absolute difference of the thumbnails; None without pictures."""


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One full-step generation that is shown as evidence."""

    image_index: int
    """With the prompt's id, its place in the generations table."""
    seed: int | None
    """Seed of its generator; None where it was made elsewhere and its seed is not known."""
    steps: int | None
    """Denoising steps; None where nobody can know."""
    nearest: int | None
    """sample_id of the nearest original."""
    normalised_l2: float | None
    """Its distance to that original or to its reconstruction, the smaller."""


@dataclass(frozen=True, kw_only=True)
class SignalValue:
    """What one source says about a picture."""

    kind: str
    """licence, copyright, creator, ..., faces, nsfw, host; fault: a block that could not be read."""
    name: str
    """The kind in words."""
    source: str
    """Where it stands: `column LICENSE`, `EXIF Copyright`, `url`, ..."""
    value: str
    """As it stands there, at most 300 characters; of scores that differ between rows their range."""
    whole: int | None
    """Characters of the whole value where it was cut."""
    rows: int
    """Rows of the picture that say so."""
    others: int
    """Further values of this source that are not listed."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A verified prompt, with its evidence."""

    prompt_id: str
    """Hash of the normalised caption."""
    arm: str
    """risk or control."""
    rank: int | None
    """Rank in its arm."""
    verdict: str
    """matching, template or retrieved."""
    caption: str
    """The prompt."""
    copies: int
    """Rows in the duplicate group of the original that came back; 1 when it is in none."""
    group_id: int | None
    """That group."""
    original: SampleRef | None
    """The training image that came back."""
    original_state: str | None
    """as_audited; gone, undecodable or changed: it could not be read as audited, and the distances are to its
    thumbnail. None where an earlier version did not record it."""
    generations: tuple[Generation, ...]
    """Full-step evidence, nearest first."""
    agreeing: int
    """Full-step generations within the threshold of the original."""
    evidence: int
    """Full-step generations made."""
    l2: float | None
    """Plain l2 on [0, 1] of the best generation to the original."""
    normalised_l2: float | None
    """l2 at mean 0, deviation 0.25."""
    tile_l2: float | None
    """Largest normalised l2 over 4 × 4 tiles."""
    reconstruction_l2: float | None
    """Normalised l2 to the original as the target's autoencoder gives it back."""
    copy_similarity: float | None
    """Cosine of the run's embeddings of generation and original."""
    template_area: float | None
    """Share of the picture that the layout covers, outside the template mask; None: no layout is known."""
    template_l2: float | None
    """Normalised l2 to the layout alone at which two images show it; None beyond 0.12."""
    masked_share: float | None
    """How far the masked region is from the original's, in medians of the l2 of two originals there."""
    k: int | None
    """Training rows within l2 0.1 of the original."""
    seed: int | None
    """Seed of the best generation."""
    paper_rule: bool | None
    """Whether any generation lies within plain l2 0.15 of any original (Carlini et al. 2023)."""
    paper_l2: float | None
    """Smallest plain l2 of any generation to any original."""
    signals: tuple[SignalValue, ...]
    """What the data say about the picture that came back: its whole group, or its row."""
    review: str | None
    """What people who looked at it came to: accepted, rejected, disputed or unsure; None: nobody has."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """A duplicate group of the gallery."""

    group_id: int
    """Smallest sample_id of its members."""
    copies: int
    """Rows."""
    distinct_images: int
    """Different decoded pictures among them; different embeddings where no picture was looked at."""
    distinct_captions: int
    """Different normalised captions among them."""
    top_caption: str | None
    """The caption of most copies."""
    top_caption_share: float | None
    """Share of the copies that carry it, 0 to 1."""
    caption_entropy: float | None
    """Bits."""
    min_similarity: float | None
    """Smallest cosine of a member to the medoid."""
    median_similarity: float | None
    """Median cosine of the members to the medoid."""
    near_captions: int | None
    """Different captions once near-duplicates count as one; None where they were not compared."""
    near_top_share: float | None
    """Share of the copies that carry the top caption or a near-duplicate of it, 0 to 1; None likewise."""
    split_from: int | None
    """The chained group that it was split from."""
    medoid: SampleRef | None
    """The member most like the others."""
    members: tuple[int, ...]
    """sample_ids of a few other members, different pictures first."""
    hits: tuple[str, ...]
    """Prompts that give its picture back."""
    signals: tuple[SignalValue, ...]
    """What the data say about it."""
    review: str | None
    """What people who looked at it came to: accepted, rejected, disputed or unsure; None: nobody has."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A row of the prompt ranking."""

    prompt_id: str
    """Hash of the normalised caption."""
    arm: str
    """risk or control."""
    rank: int
    """Rank in its arm."""
    caption: str
    """The prompt."""
    url: str | None
    """Of the group's medoid, or of the row."""
    group_id: int | None
    """Duplicate group of the caption."""
    sample_id: int | None
    """A row that carries the caption, whose thumbnail is shown."""
    sample: SampleRef | None
    """The same row by all its names."""
    copies: int
    """Rows in the group."""
    caption_copies: int | None
    """Rows of the group under this caption."""
    caption_groups: int | None
    """Different pictures under this caption."""
    risk: float | None
    """0 to 1."""
    reason: str
    """The score in words."""
    risk_class: str | None
    """high, medium or low; None for controls, and in older runs, as are the parts that follow."""
    caption_rows: int | None
    """Rows of the data set under this caption."""
    copies_part: float | None
    """0 to 1: how often the picture was seen."""
    concentration: float | None
    """0 to 1: how far the copies speak as this caption does."""
    specificity: float | None
    """0 to 1: part of all rows under it or a near-duplicate of it that is here."""
    template_part: float | None
    """0 to 1: the same risk of a template family; None without one."""
    agreement: float | None
    """0 to 1: text-image agreement; None where it is not known."""
    family_id: int | None
    """Template family whose pictures share the caption."""
    covered_rows: int | None
    """Rows in the groups and families of this and all riskier prompts."""
    triage_score: float | None
    """Score of the first detector; None when not scored."""
    triage_threshold: float | None
    """What it had to exceed."""
    triage_passed: bool | None
    """Whether every detector let it through."""
    generated: int | None
    """Images of the search rounds; None when not attacked."""
    decision: str | None
    """accepted, rejected or open; None when not attacked."""
    verdict: str | None
    """matching, template, retrieved or none; None when it was not verified."""


@dataclass(frozen=True, kw_only=True)
class RiskClass:
    """A class of the ranking."""

    name: str
    """high, medium or low."""
    least: float
    """Smallest risk of the class."""
    prompts: int
    """Prompts of the list in it."""
    rows: int
    """Rows in their groups."""
    measured: Rate | None
    """Verified prompts of those of it that this run's own attack tried; None where it tried none."""
    quoted: Rate | None
    """The same of the quoted curve; None where that has tried none."""


@dataclass(frozen=True, kw_only=True)
class CoverageStep:
    """What the first prompts cover."""

    prompts: int
    """So many, riskiest first."""
    rows: int
    """Rows in their groups and families."""
    share: float | None
    """Of all rows."""
    duplicated: int
    """Of these rows, those in a duplicate group."""
    duplicated_share: float | None
    """Of all rows in a duplicate group."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A duplicate group that no prompt stands for."""

    group_id: int
    """Smallest sample_id of its members."""
    copies: int
    """Rows."""
    reason: str
    """no_caption or caption_taken."""
    prompt_id: str | None
    """caption_taken: the prompt that has its caption."""
    rank: int | None
    """That prompt's rank."""
    caption: str | None
    """That prompt."""


@dataclass(frozen=True, kw_only=True)
class Detector:
    """A triage detector on one arm."""

    detector: str
    """Named for its paper."""
    arm: str
    """risk or control."""
    threshold: float | None
    """The score that a prompt has to exceed."""
    passed: Rate
    """Prompts above it, of those scored."""
    evaluations: int
    """Denoiser evaluations spent."""


@dataclass(frozen=True, kw_only=True)
class ErrorCount:
    """How often a row was lost in one way."""

    stage: str
    """download, read or decode."""
    reason: str
    """Short and countable."""
    rows: int
    """Ledger entries."""


@dataclass(frozen=True, kw_only=True)
class ErrorRow:
    """One entry of the ledger."""

    shard: str
    """As the data set names it."""
    key: str
    """As the data set names it; empty for a whole shard."""
    stage: str
    """Where it was lost."""
    reason: str
    """Short and countable."""
    message: str
    """One sentence."""


@dataclass(frozen=True, kw_only=True)
class CopiesBucket:
    """How many groups have so many copies."""

    label: str
    """2-3, 4-7, ..., 128+."""
    groups: int
    """Groups with that many copies."""
    rows: int
    """Rows in them."""


@dataclass(frozen=True, kw_only=True)
class CaptionUse:
    """A caption with its near-duplicates, and what stands under them."""

    prompt_id: str
    """Hash of the normalised caption."""
    caption: str
    """The one of most rows."""
    captions: int
    """Different normalised captions: itself and its near-duplicates."""
    pictures: int
    """Different pictures under them: duplicate groups, and rows in no group."""
    rows: int
    """Rows that carry one of them."""
    exact_pictures: int
    """Different pictures under this very caption."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """A template family: pictures that share a part and are not copies."""

    family_id: int
    """Smallest sample_id of its members' rows."""
    pictures: int
    """Different pictures: duplicate groups, and rows in no group."""
    rows: int
    """Rows that show one of them."""
    shared_area: float | None
    """Share of the centre's area that the common part spans, the median of the others, 0 to 1."""
    captions: int
    """Different captions among the pictures' most frequent ones."""
    members: tuple[int, ...]
    """sample_ids of a few pictures, the centre first."""
    top_captions: tuple[str, ...]
    """Captions of a few pictures, the centre's first."""


@dataclass(frozen=True, kw_only=True)
class Mitigated:
    """A duplicate group, and what would stay of it."""

    group_id: int
    """Smallest sample_id of its members."""
    copies: int
    """Rows."""
    kept: SampleRef | None
    """The row that stays."""
    dropped: int
    """Rows that go when one stays."""
    recaptioned: int
    """Rows to give a caption of their own when all stay; 0 where every row has its own, or none has any."""
    captions: tuple[str, ...]
    """Its captions of most copies, as written."""
    distinct_captions: int
    """How many different ones it has."""
    risk_before: float
    """Highest risk of its captions, 0 to 1."""
    risk_recaptioned: float | None
    """The same by the formula, once re-captioned; None where there is nothing to re-caption."""
    class_before: str
    """high, medium or low."""
    class_recaptioned: str | None
    """Likewise, once re-captioned."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One line of the method: a setting, a threshold, a version or a checksum."""

    name: str
    """Dotted, as stored."""
    value: str
    """As text."""
    meaning: str
    """In plain words where they are known; else empty."""


@dataclass(frozen=True, kw_only=True)
class Memorised:
    """A training picture that a model gives back without a prompt."""

    sample: SampleRef | None
    """The row nearest to the best generation."""
    group_id: int | None
    """Its duplicate group; None where it stands once."""
    copies: int
    """Rows of that group; 1 where it stands once."""
    candidates: int
    """Generations of adaptive distance below 1."""
    generations: int
    """Of these, those within the threshold."""
    memorised: bool
    """Two or more."""
    adaptive_l2: float
    """Smallest of its generations."""
    l2: float
    """Plain l2 of that generation."""
    image_index: int
    """That generation."""
    seed: int
    """Its seed."""
    review: str | None
    """What people who looked at it came to: accepted, rejected, disputed or unsure; None: nobody has."""
