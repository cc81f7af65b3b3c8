"""The options of an audit: how a data set is scanned, downloaded and calibrated, and what a finished run is held to."""

from dataclasses import dataclass

from scanner.errors import UnusableInputError

DEFAULT_MODEL = "ViT-B-32"


DEFAULT_PRETRAINED = "laion2b_s34b_b79k"


KEEP_POLICIES = ("largest", "caption", "first")
"""Which row of a duplicate group stays, as `scanner.repair` has it."""


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

    faces: bool = False
    """Look for faces in one picture of each duplicate group, and later in the originals that an attack brings back,
    with the detector that ships with OpenCV: it misses many faces and sees some where none are, and is for data sets
    without face boxes of their own. Those images are read again, 50 ms each."""
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
