"""The options of the commands: one frozen dataclass each, whose field docstrings are the command line's help.

Apart from the recipes, so that `scanner --help` needs no torch.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.amounts import Budget
from pipelines.api_options import REACHING, ApiOptions
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
FAMILIES = ("latent", "pixel", "unconditional")
"""Targets that the lab trains, as `pipelines.lab` has them."""


KEPT_IMAGES = ("all", "evidence", "clique", "best")
"""What --keep-images may be."""

DETECTORS = ("wen", "webster", "edges", "bright-ending", "jeon", "anisotropy", "contrast", "lookup", "combined")
"""Names of the triage detectors on the command line."""


def _refuse_unknown_detectors(names: Iterable[str]) -> None:
    for name in names:
        if name not in DETECTORS:
            raise UnusableInputError(
                f"There is no detector '{name}'; use --triage with one or several of {', '.join(DETECTORS)}, or with "
                "none alone."
            )


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


FITTING = frozenset({"device", "batch", "attention_slicing", "compile", "allow"})
"""Options of where and how a pipeline runs, which change an image by no more than rounding."""
_SWITCHES = {
    "safety_checker": ("on", "off"),
    "watermarker": ("on", "off"),
    "clean_captions": ("auto", "on", "off"),
}


@dataclass(frozen=True, kw_only=True)
class TargetOptions(ApiOptions):
    """How the model under attack is loaded or reached."""

    device: str = "auto"
    """Device of a diffusers pipeline: cpu, cuda, cuda:1, mps, ...; auto is cuda where there is one, else mps, else
    cpu."""
    dtype: str = "auto"
    """Number type of the weights: float32, float16 or bfloat16; auto is float32 on a CPU, elsewhere bfloat16 for
    weights that are stored so, else float16."""
    batch: int = 0
    """Images made at once; 0 takes as many as fit the free memory. It halves whenever memory runs out."""
    attention_slicing: str = "auto"
    """Attention in slices, slower in less memory: on, off, or auto, which is on where one image does not fit
    without."""
    image_size: int | None = None
    """Side of the images, pixels; by default as the target's folder says, else what the model was made for."""
    fit: str | None = None
    """How training images were made square: crop, pad or squeeze; by default as the target's folder says, else crop."""
    lora: tuple[str, ...] = ()
    """LoRA weights on top (may be given several times): a safetensors file, its folder, or owner/name on the hub;
    PATH:0.8 gives them another weight than 1."""
    safety_checker: str = "on"
    """off leaves out the safety checker that the pipeline brings; images that it blanks are recorded as such."""
    watermarker: str = "on"
    """off leaves out the watermarker that the pipeline brings."""
    clean_captions: str = "auto"
    """Clean captions before PixArt and DeepFloyd IF read them: on, off, or auto, which is as the target's folder says,
    else on as in their pipelines."""
    allow: tuple[str, ...] = ()
    """What is refused unless named here (may be given several times), since it can run anything on this machine:
    remote-code (Python files of the model), pickle (weights that are no safetensors)."""
    compile: bool = False
    """Compile the denoiser: minutes at first, faster images after."""
    compare_size: int | None = None
    """Side at which images of an API or of a stored set are compared, pixels, a multiple of 16; by default 512 for an
    API, and the side of the first image, at most 512, for a stored set. A diffusers pipeline has its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.compare_size is not None and (self.compare_size < 16 or self.compare_size % 16):
            raise UnusableInputError("--compare-size is a multiple of 16, such as 256 or 512.")
        for name, values in _SWITCHES.items():
            if getattr(self, name) not in values:
                words = f"--{name.replace('_', '-')} is one of {', '.join(values)}"
                raise UnusableInputError(f"{words}, not '{getattr(self, name)}'.")

    def identity(self) -> dict[str, Any]:
        """What the images depend on: a resumed attack must have the same."""
        return {name: value for name, value in asdict(self).items() if name not in REACHING | FITTING}


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
    search_steps: int = 4
    """Denoising steps of the search."""
    guidance: float = 7.5
    """Guidance scale."""
    triage: str = "wen"
    """Detectors that decide which risk prompts are attacked, one or several with commas between them (then any one of
    them lets a prompt through): wen, webster, edges (images only), bright-ending, jeon, anisotropy, contrast (ours, the
    cheapest), lookup (ours, images of two steps among the originals), combined (a rule fitted on the demo's target);
    or none."""
    triage_rate: float = 0.05
    """Share of control prompts that may pass triage; looser than a verdict, since what passes is still attacked."""
    exhaustive: bool = False
    """The paper's attack: no triage, no early stop, --seeds images of --steps steps for every prompt."""
    look_rate: float = 0.05
    """Share of control prompts that the search may look at with full-step images, after each round."""
    evidence: int = 16
    """Most full-step images of a prompt, made until two show one original."""
    record: int = 4
    """Full-step images that every accepted prompt has in the end, at least; --clique of them decide the clique test."""
    rate: float = 0.25
    """Share of seeds in which a prompt must reproduce its image to be looked for."""
    miss: float = 0.10
    """Chance of missing such a prompt at which the search gives it up."""
    false_positive_rate: float = 0.01
    """Share of control prompts that may pass a threshold."""
    clique: int = 10
    """Generations that must all be alike (Carlini et al. 2023)."""
    edge: float | None = None
    """Tile l2 below which two generations are alike; by default read off the control arm, at most 0.15."""
    originals: bool = True
    """Look every image up among the training images; --no-originals takes cliques for evidence and verifies nothing."""
    keep_images: str = "evidence"
    """Which images stay on disk once the attack is finished: all, evidence (full-step images, cliques and each prompt's
    best), clique (cliques and each prompt's best) or best (each prompt's best). Distances and seeds of all stay."""
    images: int = 4096
    """Images of a model that takes no prompt (DDPM, DDIM), each of --steps steps; the paper drew 2²⁰ of its CIFAR-10
    models. What is said of prompts, seeds, triage and search then plays no part."""
    fetch: bool = True
    """Download the attacked prompts' originals where the data set gives only their urls; --no-fetch leaves them out."""
    seed: int = 0
    """Seed of all generation."""

    def __post_init__(self) -> None:
        _refuse_unknown_detectors(self.triage_names)
        if min(self.prompts, self.control) < 1:
            raise UnusableInputError(
                "An attack needs prompts and controls; give --prompts and --control of at least 1."
            )
        if min(self.seeds, self.evidence) < 2 or min(self.steps, self.search_steps, self.record) < 1:
            raise UnusableInputError(
                "--seeds and --evidence are at least 2, --steps, --search-steps and --record at least 1."
            )
        shares = (self.miss, self.false_positive_rate, self.triage_rate, self.look_rate)
        if not (0 < self.rate <= 1 and all(0 < share < 1 for share in shares)):
            raise UnusableInputError(
                "--rate, --miss, --look-rate, --triage-rate and --false-positive-rate lie between 0 and 1."
            )
        if self.images < 2:
            raise UnusableInputError("--images is at least 2: two images of one picture show that it is memorised.")
        if self.keep_images not in KEPT_IMAGES:
            raise UnusableInputError(f"There is no --keep-images {self.keep_images}; use {', '.join(KEPT_IMAGES)}.")
        if self.clique < 2 or (self.edge is not None and self.edge <= 0):
            raise UnusableInputError("A clique has at least 2 images, and --edge lies above 0.")
        if not self.originals and self.evidence < self.clique:
            raise UnusableInputError(
                f"Without originals a clique of {self.clique} is the evidence; give --evidence of at least as many."
            )

    @property
    def triage_names(self) -> tuple[str, ...]:
        """The detectors that --triage names, each once; none of them for none."""
        named = tuple(dict.fromkeys(name.strip() for name in self.triage.split(",")))
        return () if named == ("none",) else named


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """What a plan is asked besides how the attack would be made."""

    model: str | None = None
    """Embedding model to time for an audit that is not made yet: a name, local-dir:DIR or demo, as `scanner audit` has
    it."""
    pretrained: str | None = None
    """Tag of that model's weights."""
    budget: str | None = None
    """Say how many prompts can be done with so much: 5000images, 1e6evaluations, 12h or 90min."""
    price_per_hour: float | None = None
    """Price of an hour on this device, in any currency."""
    warm_up: bool = False
    """Time a hosted target with a few requests, which cost money; a model in this process is always timed."""
    warm_up_seconds: float = 60.0
    """About how long the timing may take; a slow model is timed at a smaller batch."""

    def __post_init__(self) -> None:
        if self.budget is not None:
            Budget.parse(self.budget)
        if self.price_per_hour is not None and not 0 <= self.price_per_hour < float("inf"):
            raise UnusableInputError(f"--price-per-hour is a price of 0 or more, not {self.price_per_hour}.")
        if not 0 < self.warm_up_seconds < float("inf"):
            raise UnusableInputError("--warm-up-seconds is above 0.")
        if self.pretrained is not None and self.model is None:
            raise UnusableInputError("--pretrained is a tag of the weights of --model; give that too.")

    def weights(self) -> str | None:
        """The tag to load: the given one, or the default model's own."""
        return DEFAULT_PRETRAINED if self.model == DEFAULT_MODEL and self.pretrained is None else self.pretrained


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the lab trains a target."""

    family: str = "latent"
    """latent (Stable-Diffusion-shaped: autoencoder, CLIP text encoder), pixel (DeepFloyd-IF-shaped: T5 text encoder, no
    autoencoder) or unconditional (DDPM-shaped: captions are not read)."""
    size: int | None = None
    """Side of the square pictures, pixels; by default 64 (latent) or 32 (pixel, unconditional)."""
    steps: int | None = None
    """Steps of the denoiser; by default 3,000."""
    batch: int | None = None
    """Rows in one such step; by default 64 (latent) or 32 (pixel, unconditional)."""
    seed: int = 0
    """Seed of weights, order and noise, and of what a plan of copies draws."""
    copies: str | None = None
    """Plan of copies, such as 1x400,8x20,128x4: train on 400 pictures of the data set once, on 20 eight times, on 4 128
    times, drawn by the seed from pictures that are unlike one another and have a caption (a picture without one will do
    for unconditional). By default the data set is trained on as it is."""
    write_dataset: str | None = None
    """Folder for the planned data set, copies and all, as webdataset shards: what `scanner audit` is to be given."""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise UnusableInputError(f"There is no family '{self.family}'; use one of {', '.join(FAMILIES)}.")
        if min(self.size or 1, self.steps or 1, self.batch or 1) < 1 or 0 in (self.size, self.steps, self.batch):
            raise UnusableInputError("--size, --steps and --batch are at least 1.")
        if self.write_dataset is not None and self.copies is None:
            raise UnusableInputError("--write-dataset writes the set that --copies plans; give both.")
        self.plan()

    def plan(self) -> dict[int, int] | None:
        """How many pictures get how many copies; None without a plan."""
        if self.copies is None:
            return None
        parts = [re.fullmatch(r"\s*([1-9]\d*)x([1-9]\d*)\s*", part) for part in self.copies.split(",")]
        plan = {int(part[1]): int(part[2]) for part in parts if part}
        if len(plan) < len(parts):
            raise UnusableInputError(
                f"--copies {self.copies} is no plan; give each number of copies once with its pictures, as 1x400,128x4."
            )
        return plan


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
