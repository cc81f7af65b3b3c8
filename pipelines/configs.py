"""The options of the commands: one frozen dataclass each, whose field docstrings are the command line's help.

Apart from the recipes, so that `scanner --help` needs no torch.
"""

import re
from dataclasses import dataclass

from scanner.errors import UnusableInputError

DEFAULT_MODEL = "ViT-B-32"
DEFAULT_PRETRAINED = "laion2b_s34b_b79k"
PAPER_SEEDS = 500
"""Images per prompt in Carlini et al. 2023."""
KEEP_POLICIES = ("largest", "caption", "first")
"""Which row of a duplicate group stays, as `scanner.repair` has it."""

DEFAULT_PLAN = "8x5,32x5,128x5"
"""Fifteen canaries in 840 rows: below, at and above where Stable Diffusion's extraction begins (about 100 copies,
Carlini et al. 2023); the lab's own small targets give pictures back from 8 copies on."""


def refuse_unknown_policy(keep: str | None) -> None:
    """Raises UnusableInputError for a keep-one policy that is not known."""
    if keep is not None and keep not in KEEP_POLICIES:
        raise UnusableInputError(f"There is no keep-one policy '{keep}'; use one of {', '.join(KEEP_POLICIES)}.")


@dataclass(frozen=True, kw_only=True)
class AuditConfig:
    """How a data set is scanned."""

    model: str = DEFAULT_MODEL
    """open_clip model name, local-dir:DIR, or demo (ImageNet weights that are installed with the scanner)."""
    pretrained: str | None = None
    """Tag of the model's weights; the default model's is laion2b_s34b_b79k."""
    embeddings: str | None = None
    """Embeddings of the images that are there already, in clip-retrieval's or DataComp's layout: found by the rows'
    keys, and used instead of the model's own once a few are seen to be the same."""
    embedding_column: str | None = None
    """Array of a .npz that holds the embeddings; by default l14_img."""
    threshold: float | None = None
    """Cosine at which a pair is proposed, above 0 to 1; by default read off random pairs of the data set itself. Where
    there are embeddings and no images, the cosine that makes a pair; by default 0.95."""
    calibration: str | None = None
    """Take the threshold from this calibration: calibration.json, or the run that `scanner calibrate` was given."""
    layout: str | None = None
    """Layout of the data set (webdataset, clip-retrieval, datacomp, arrow, parquet, folder or urls); by default the
    data are looked at."""
    caption_column: str | None = None
    """Column, or field of a .json, that holds the caption; by default found by its name."""
    url_column: str | None = None
    """Column of the url."""
    key_column: str | None = None
    """Column of the row's key."""
    image_column: str | None = None
    """Column, or extension in a tar, of the image."""
    carry: tuple[str, ...] = ()
    """Column to carry through into the run (may be given several times): punsafe, similarity, LICENSE, ..."""
    where: str | None = None
    """SQL condition on the columns, such as "punsafe < 0.1"; other rows are set aside before they are decoded."""
    sample: float | None = None
    """Read this share of the rows, above 0 to 1, the same ones each time."""
    limit: int | None = None
    """Read at most this many rows, of those that --where and --sample leave."""
    control: int = 400
    """Control prompts to draw."""
    captions_per_group: int = 3
    """Most prompts taken from one duplicate group."""
    close_looks: int = 4
    """Of each image's pairs that the thumbnails leave open, so many, the most similar, are compared by their geometry,
    for which the images are read again: finds crops, mirror images, rotated and framed copies, and tells look-alikes
    apart. 0 leaves it out: the images are read once."""
    copy_model: str | None = None
    """A copy-detection network as a TorchScript or ONNX file, such as SSCD's sscd_disc_mixup.torchscript.pt: compares
    the pairs that thumbnails and geometry leave open; the images are read again for it."""
    copy_threshold: float = 0.75
    """Cosine of two of the copy model's embeddings that makes a pair, above 0 to 1; SSCD's authors give 0.75 for 90 %
    precision."""
    copy_preprocessing: str = "skew-320"
    """How images are brought to the copy model's size: skew-320 squeezes them to that square, small-288 brings the
    shorter side to it."""
    seed: int = 0
    """Seed of everything that is drawn."""

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise UnusableInputError(f"A cosine threshold lies above 0 and at most at 1, not at {self.threshold}.")
        if self.threshold is not None and self.calibration is not None:
            raise UnusableInputError("--threshold and --calibration both set the threshold; give one of them.")
        if self.limit is not None and self.limit < 1:
            raise UnusableInputError("--limit is at least 1.")
        if self.close_looks < 0:
            raise UnusableInputError("--close-looks is at least 0.")
        if not 0 < self.copy_threshold <= 1:
            raise UnusableInputError(f"--copy-threshold lies above 0 and at most at 1, not at {self.copy_threshold}.")

    def weights(self) -> str | None:
        """The tag to load: the given one, or the default model's own."""
        return DEFAULT_PRETRAINED if self.model == DEFAULT_MODEL and self.pretrained is None else self.pretrained


@dataclass(frozen=True, kw_only=True)
class AuditExtras:
    """What an audit does besides; a resumed run need not be told again."""

    against: str | None = None
    """Directory of a finished audit with the same embedding model, such as one of a test set, a benchmark, or images
    that must not be present: its pictures are looked for among the rows of this run. Equal pixels, or what the
    duplicate search itself would take for one picture; the rows found stand in matches.parquet and in the report."""

    add_shards: bool = False
    """Take shards that the data set has gained since the run began: only their rows are read and embedded, and they
    are compared with one another and with all rows before them. Whitening and threshold stay as the first rows set
    them, so begin anew when a set has grown many times over. Files that changed or vanished are refused."""

    curve: str | None = None
    """Quote this measured curve beside the risk classes: an attacked run, or its report.json; by default the one that
    ships, of the demo's own target. It is kept in the run, for its reports, and named with its target."""
    keep: str | None = None
    """Which row of a duplicate group stays in the repair of the data set (mitigations.parquet): largest (most pixels),
    caption (best caption: of highest text-image agreement where it is known, found on fewest pictures, of most words)
    or first. By default what this run kept before, else largest; no image is read for it, so that a finished audit
    may be given again with another one."""

    def __post_init__(self) -> None:
        refuse_unknown_policy(self.keep)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a run must keep, once it is written; apart from the configuration, so that a resumed run may have another.

    The point estimate is judged, not an end of its interval: even with no pair missed the lower end stays below 0.99
    until 368 of the rows drawn have a near-duplicate, and few data sets have so many.
    """

    min_recall: float | None = None
    """Exit with 3, after everything is written, when the search found a smaller share of the true pairs than this,
    above 0 to 1. Every audit measures that share by brute force on up to 500 rows drawn at random. The share itself is
    compared, not the lower end of its interval, which few pairs keep low even where none was missed; the report shows
    both. Where no drawn row has a near-duplicate there is nothing to measure: that is said, and the exit code is 0."""

    def __post_init__(self) -> None:
        if self.min_recall is not None and not 0 < self.min_recall <= 1:
            raise UnusableInputError(f"--min-recall lies above 0 and at most at 1, not at {self.min_recall}.")


@dataclass(frozen=True, kw_only=True)
class CalibrateConfig:
    """What is asked of a calibration."""

    rate: float = 1e-6
    """False-positive rate for data sets of embeddings alone, where the cosine decides: share of the random pairs of
    different pictures that may reach the threshold."""
    propose_rate: float | None = None
    """The same for data sets with pictures, where the cosine only proposes; by default what an audit allows, 20
    candidates a row by chance."""
    pairs: int = 10_000_000
    """Random pairs to draw; a rate needs at least 1 / rate of them. All pairs of a set that has fewer are taken."""
    labels: str | None = None
    """CSV or parquet of pairs that a person looked at, with the columns left, right (sample_id, shard/key, or a key
    that occurs once) and same (0, 1, true or false): adds precision and recall."""
    precision: float | None = None
    """Look for the smallest threshold of this precision on the labelled pairs, above 0 to 1."""
    seed: int = 0
    """Decides which pairs are drawn."""

    def __post_init__(self) -> None:
        if self.precision is not None and self.labels is None:
            raise UnusableInputError("--precision is measured on a labelled sample; give one with --labels.")


@dataclass(frozen=True, kw_only=True)
class DownloadConfig:
    """How the images of a list of URLs are downloaded (by img2dataset, with its defaults unless said otherwise)."""

    image_size: int = 512
    """Shorter side that larger images are made smaller to, pixels; 0 stores every file as it was served."""
    processes: int | None = None
    """Processes that download; by default one per core."""
    threads: int = 256
    """Downloads at once in each process."""
    retries: int = 1
    """How often a download that failed is tried again (img2dataset's own default is 0)."""
    timeout: int = 10
    """Seconds to wait for an answer."""
    shard_rows: int = 10_000
    """Rows that are downloaded, resumed and stored as one."""

    def __post_init__(self) -> None:
        if min(self.threads, self.timeout, self.shard_rows, self.processes or 1) < 1 or self.processes == 0:
            raise UnusableInputError("--processes, --threads, --timeout and --shard-rows are at least 1.")
        if min(self.image_size, self.retries) < 0:
            raise UnusableInputError("--image-size and --retries are at least 0.")


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """How the model under attack is loaded or reached."""

    device: str = "cpu"
    """Device of the target."""
    dtype: str = "float32"
    """Number type of the target's weights: float32, float16 or bfloat16."""
    fit: str | None = None
    """How training images were made square: crop, pad or squeeze; by default as the target's folder says, else crop."""

    def __post_init__(self) -> None:
        if self.dtype not in ("float32", "float16", "bfloat16"):
            raise UnusableInputError(f"There is no number type '{self.dtype}'; use float32, float16 or bfloat16.")


@dataclass(frozen=True, kw_only=True)
class AttackOptions:
    """How a run's prompts are attacked."""

    prompts: int = 500
    """Risk prompts to try, riskiest first."""
    control: int = 100
    """Control prompts to attack beside them; thresholds at 1 % false positives need 100."""
    seeds: int = PAPER_SEEDS
    """Most images generated in the search for one prompt."""
    steps: int = 50
    """Denoising steps of the evidence."""
    search_steps: int = 8
    """Denoising steps of the search."""
    guidance: float = 7.5
    """Guidance scale."""
    triage: str = "wen"
    """Detector that decides which risk prompts are attacked: wen (noise magnitude, 8 evaluations a prompt) or none."""
    triage_rate: float = 0.05
    """Share of control prompts that may pass triage; looser than a verdict, since what passes is still attacked."""
    exhaustive: bool = False
    """The paper's attack: no triage, no early stop, --seeds images of --steps steps for every prompt."""
    evidence: int = 16
    """Full-step images of each prompt that the search accepts."""
    rate: float = 0.25
    """Share of seeds in which a prompt must reproduce its image to be looked for."""
    miss: float = 0.10
    """Chance of missing such a prompt at which the search gives it up."""
    false_positive_rate: float = 0.01
    """Share of control prompts that may pass a threshold."""
    clique: int = 10
    """Generations that must all be alike (Carlini et al. 2023)."""
    fetch: bool = True
    """Download the attacked prompts' originals where the data set gives only their urls; --no-fetch leaves them out."""
    seed: int = 0
    """Seed of all generation."""

    def __post_init__(self) -> None:
        if self.triage not in ("wen", "none"):
            raise UnusableInputError(f"There is no detector '{self.triage}'; use --triage wen or none.")
        if min(self.prompts, self.control) < 1:
            raise UnusableInputError(
                "An attack needs prompts and controls; give --prompts and --control of at least 1."
            )
        if min(self.seeds, self.evidence) < 2 or min(self.steps, self.search_steps) < 1:
            raise UnusableInputError("--seeds and --evidence are at least 2, --steps and --search-steps at least 1.")
        if not (
            0 < self.rate <= 1 and 0 < self.miss < 1 and 0 < self.false_positive_rate < 1 and 0 < self.triage_rate < 1
        ):
            raise UnusableInputError("--rate, --miss, --triage-rate and --false-positive-rate lie between 0 and 1.")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the lab trains a target."""

    steps: int = 3000
    """Steps of the denoiser."""
    seed: int = 0
    """Seed of weights, order and noise."""


@dataclass(frozen=True, kw_only=True)
class PlantConfig:
    """Which canaries are planted, and how the data set is read that they are to fit into."""

    plan: str = DEFAULT_PLAN
    """COPIESxCANARIES, comma separated: how many canaries are planted how often."""
    seed: int = 0
    """Seed of pictures, captions and the order of the rows."""
    edits: str = "exact"
    """How the copies of one canary differ: exact (one file), or light (re-encoded at JPEG quality 75 to 90 and resized
    to 75 to 100 %)."""
    layout: str | None = None
    """Layout of the data set (webdataset, parquet, arrow or folder); by default the data are looked at."""
    caption_column: str | None = None
    """Column, or field of a .json, that holds the caption; by default found by its name."""
    key_column: str | None = None
    """Column of the row's key."""
    image_column: str | None = None
    """Column, or extension in a tar, of the image."""
    limit: int | None = None
    """Look at no more than this many rows of the data set, for the words of its captions and the size of its images; by
    default at all."""


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """How an attacked run is held against the truth."""

    memorised_from: int = 8
    """Copies from which a detector is expected to notice a prompt: the positives of its ROC. Prompts of 2 copies and
    more but fewer than these are left out of it."""

    def __post_init__(self) -> None:
        if self.memorised_from < 1:
            raise UnusableInputError("--memorised-from is at least 1.")


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What is exported, and which part of it."""

    format: str
    """Prompts: csv, jsonl, parquet, text, wen, promptfoo, pyrit, inspect, garak. Repair of the data set: drop-list
    (.parquet or .txt), datacomp (subset of uids to keep, .npy), bool-array (True where a row goes, .npy), shards (a
    folder of webdataset shards without the dropped rows), recaption (.parquet or .jsonl)."""
    arm: str | None = None
    """Prompts of this arm: risk, control or all; by default risk."""
    risk: tuple[str, ...] = ()
    """Class of risk (may be given several times): high, medium, low."""
    min_risk: float | None = None
    """Smallest risk, 0 to 1; by default any."""
    verdict: tuple[str, ...] = ()
    """Verdict of an attacked prompt (may be given several times): matching, template, retrieved, none."""
    ranks: str | None = None
    """Ranks inside an arm, such as 1-100 or 101-."""
    skip_unwritable: bool = False
    """Leave out prompts that the format can't carry (a line break in a list of lines), and say how many, instead of
    refusing."""
    overwrite: bool = False
    """Replace what is at --out."""
    keep: str | None = None
    """Repair: which row of a group stays, largest, caption or first; by default as the run has it."""
    by: str | None = None
    """Drop list: what names a row, key (with its shard; the default), url, uid, sha256 (the data set's own where it is
    carried, else of the file as stored) or sample_id. A url or hash that also stands on a row that stays is left out
    and counted."""
    drop_failed: bool = False
    """Repair: drop rows that could not be read as well; by default they stay in shards, subset and array."""

    def __post_init__(self) -> None:
        if self.arm not in (None, "risk", "control", "all"):
            raise UnusableInputError(f"There is no arm '{self.arm}'; use risk, control or all.")
        refuse_unknown_policy(self.keep)
        self.rank_range()

    def rank_range(self) -> tuple[int, int | None]:
        """The first and the last rank; None: to the end."""
        found = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d*)\s*)?", self.ranks or "1-")
        if not found:
            raise UnusableInputError(f"--ranks {self.ranks} is no range; give it as 1-100, 101- or 7.")
        first, last = found.groups()
        if last is None:
            return int(first), int(first)
        return int(first), int(last) if last else None
