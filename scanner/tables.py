"""Every table of a run: its file, its columns with their meaning, and the one way to write and read it.

Column names are an interface that other programs read: columns may be added, never renamed. A table is
stored as parquet, sorted by its key, with exactly the columns and types named here.

    >>> from scanner.tables import GROUPS
    >>> GROUPS.empty().columns[:3]
    ['group_id', 'copies', 'distinct_images']
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from scanner.files import replacing


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its polars type and what it holds, with unit and range."""

    dtype: pl.DataType
    doc: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of a run: where it lies, what a row is, what it is sorted by, and its columns."""

    path: str
    """File below the run directory, or a folder of `*.parquet` parts (ends with a slash)."""
    row: str
    """What one row is."""
    key: tuple[str, ...]
    """The columns that the table is sorted by; together they are unique."""
    columns: Mapping[str, Column]

    @property
    def schema(self) -> pl.Schema:
        return pl.Schema({name: column.dtype for name, column in self.columns.items()})

    def empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.schema)

    def frame(self, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
        """Rows as a frame of this table: all columns present, typed, sorted by the key."""
        return pl.DataFrame(list(rows), schema=self.schema, orient="row").sort(self.key)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with this table's columns in order and type, sorted by the key.

        Raises `polars.exceptions.ColumnNotFoundError` when a column is missing.
        """
        wanted = [pl.col(name).cast(column.dtype) for name, column in self.columns.items()]
        return frame.select(wanted).sort(self.key)

    def write(self, run: Path, frame: pl.DataFrame, part: str | None = None) -> Path:
        """Write `frame` whole or not at all."""
        path = run / self.path
        if part is not None:
            path = path / f"{part}.parquet"
        with replacing(path) as temporary:
            self.conform(frame).write_parquet(temporary, compression="zstd", statistics=True)
        return path

    def exists(self, run: Path, part: str | None = None) -> bool:
        return (run / self.path / f"{part}.parquet" if part is not None else run / self.path).exists()

    def clear(self, run: Path, which: Callable[[str], bool] = lambda _: True) -> None:
        """Remove the parts of a folder table, or those whose names `which` holds for: what they were made from has
        changed."""
        for part in (run / self.path).glob("*.parquet"):
            if which(part.stem):
                part.unlink()

    def parts(self, run: Path) -> list[Path]:
        """The files that are there, in the order of their names."""
        path = run / self.path
        parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        return [part for part in parts if part.exists() and not part.name.startswith(".")]

    def scan(self, run: Path, file_column: str | None = None) -> pl.LazyFrame:
        """The table as a lazy frame (all parts of a folder); empty when nothing was written yet.

        `file_column` adds the path of each row's file under that name.
        """
        parts = self.parts(run)
        if not parts:
            return self.empty().lazy()
        return pl.scan_parquet(parts, include_file_paths=file_column)

    def read(self, run: Path, part: str | None = None) -> pl.DataFrame:
        """The whole table in memory, or one part of a folder that is there, sorted by its key (lazy queries do not keep
        row order)."""
        rows = self.scan(run) if part is None else pl.scan_parquet(run / self.path / f"{part}.parquet")
        return rows.collect().sort(self.key)


def _column(dtype: Any, doc: str) -> Column:
    return Column(dtype=dtype() if isinstance(dtype, type) else dtype, doc=doc)


_SAMPLE_ID = _column(pl.Int64, "sample: position of its shard in the data set × 2³² + row in the samples file")
_SHARD = _column(pl.String, "shard of the data set, as the data set names it")
_KEY = _column(pl.String, "key of the row inside its shard, as the data set names it")
_PROMPT_ID = _column(pl.String, "first 16 hex digits of the sha-256 of the normalised caption")
_GROUP_ID = _column(pl.Int64, "duplicate group: the smallest sample_id of its members")

SAMPLES = Table(
    path="samples/",
    row="an image that was read, or a row of which the data set holds an embedding and no image",
    key=("sample_id",),
    columns={
        "sample_id": _SAMPLE_ID,
        "shard": _SHARD,
        "key": _KEY,
        "url": _column(pl.String, "where the image came from, if the data set says"),
        "caption": _column(pl.String, "caption as the data set gives it; null where there is none"),
        "width": _column(pl.Int32, "pixels, after EXIF rotation; null where no image was decoded"),
        "height": _column(pl.Int32, "pixels, after EXIF rotation; null where no image was decoded"),
        "file_sha256": _column(
            pl.String, "sha-256 of the encoded image as stored, hex; null where the data set holds only its embedding"
        ),
        "pixel_sha256": _column(
            pl.String, "sha-256 of size and decoded 8-bit RGB pixels, hex; null where no image was decoded"
        ),
        "phash": _column(pl.UInt64, "64-bit DCT perceptual hash; null where no image was decoded"),
        "thumbnail": _column(
            pl.Binary, "32 × 32 × 3 uint8 RGB, row-major, 3,072 bytes; null where no image was decoded"
        ),
        "file": _column(
            pl.String, "file that holds the encoded image, relative to the data set's root; null where there is none"
        ),
        "offset": _column(
            pl.Int64, "where the encoded image begins in `file`, bytes; its row number where that is a table"
        ),
        "length": _column(pl.Int64, "length of the encoded image, bytes; null where the whole of `file` is meant"),
    },
)

SIGNALS = Table(
    path="signals/",
    row="what one source says about the rights, people or content of a row's image; a shard without any has an empty "
    "file, and a run without files was made before they were read",
    key=("sample_id", "kind", "source", "value"),
    columns={
        "sample_id": _SAMPLE_ID,
        "kind": _column(
            pl.String,
            "licence, copyright, creator, credit, terms, opt_out, watermark, description, person, faces, nsfw, or "
            "fault: a block that could not be read",
        ),
        "source": _column(pl.String, "where it stands: column LICENSE, EXIF Copyright, XMP dc:rights, ..."),
        "value": _column(pl.String, "as it stands there, at most 300 characters; of faces their number"),
        "whole": _column(pl.Int64, "characters of the whole value where it was cut; null where it was not"),
        "detail": _column(
            pl.String, "of faces their boxes as the source has them, JSON; null where it has none, or very many"
        ),
    },
)

FILES = Table(
    path="files.parquet",
    row="a file that the data set was read from",
    key=("shard", "file"),
    columns={
        "shard": _SHARD,
        "file": _column(pl.String, "relative to the data set's root"),
        "state": _column(pl.String, "its size and the time or version of its last change, when the run began"),
        "number": _column(pl.Int64, "of its shard: the shard base of its sample ids is number × 2³²"),
        "added": _column(pl.Int64, "0: the run began with it; 1, 2, ...: the addition of shards that brought it"),
    },
)

ERRORS = Table(
    path="errors.parquet",
    row="an input row that was not read",
    key=("shard", "key", "stage", "reason", "message"),
    columns={
        "shard": _SHARD,
        "key": _KEY,
        "stage": _column(
            pl.String, "where it was lost: download, select (set aside by --where or --sample), read or decode"
        ),
        "reason": _column(pl.String, "short, countable: truncated_image, missing_image, ..."),
        "message": _column(pl.String, "one sentence with the particulars"),
    },
)

ERROR_PARTS = Table(path="parts/errors/", row=ERRORS.row, key=ERRORS.key, columns=ERRORS.columns)

SHARDS = Table(
    path="parts/shards/",
    row="a shard that was read",
    key=("shard",),
    columns={
        "shard": _SHARD,
        "rows_in": _column(pl.Int64, "rows that the reader gave"),
        "read": _column(pl.Int64, "rows in the samples table"),
        "set_aside": _column(pl.Int64, "rows left out by a setting"),
        "failed": _column(pl.Int64, "rows in the ledger that could not be had"),
        "bytes": _column(pl.Int64, "size of the files that the shard was read from"),
    },
)

PAIRS = Table(
    path="pairs/",
    row="a look at a pair of distinct pictures (of distinct embeddings where there are none) that was proposed",
    key=("left", "right", "look"),
    columns={
        "left": _column(pl.Int64, "sample_id of the pair's smaller side"),
        "right": _column(pl.Int64, "sample_id of the pair's larger side"),
        "similarity": _column(
            pl.Float32, "cosine of the (whitened) embeddings, −1 to 1; of the embeddings as they are where it decides"
        ),
        "hash_distance": _column(
            pl.Int16, "Hamming distance of the perceptual hashes, 0 to 64 bits; null where there are no pictures"
        ),
        "look": _column(
            pl.String,
            "what was looked at: thumbnail (same picture); geometry, where thumbnails refuse (same content: a crop, "
            "a mirror image, ...); copy-model, where that leaves open too and the user gives a network; similarity "
            "where there are no pictures",
        ),
        "look_distance": _column(
            pl.Float32, "mean absolute difference at mean 0, deviation 0.25; null where there are no pictures"
        ),
        "accepted": _column(pl.Boolean, "found to be one picture"),
        "worst_block": _column(
            pl.Float32,
            "largest difference of a 4 × 4 block relative to its contrast; 2: can't be compared; null: no pictures",
        ),
        "inliers": _column(
            pl.Int32, "keypoints that agree on one similarity; null where the geometry was not looked at"
        ),
        "coverage": _column(
            pl.Float32, "share of the smaller picture that lies on the other, 0 to 1; null where not looked at"
        ),
        "shared": _column(
            pl.Boolean, "clearly a part in common, and not one picture: one logo or template; null where not looked at"
        ),
        "copy_similarity": _column(
            pl.Float32, "cosine of the copy model's embeddings, −1 to 1; null where it was not asked or has none"
        ),
    },
)

FEATURES = Table(
    path="parts/features/",
    row="a picture that was looked at closely; its features lie beside this file in one of the same name, .bin",
    key=("sample_id",),
    columns={
        "sample_id": _SAMPLE_ID,
        "offset": _column(pl.Int64, "first byte of its features"),
        "length": _column(pl.Int64, "bytes"),
    },
)

COPY_EMBEDDINGS = Table(
    path="parts/copy-embeddings/",
    row="a picture that the copy model was asked about",
    key=("sample_id",),
    columns={
        "sample_id": _SAMPLE_ID,
        "embedding": _column(
            pl.Binary, "float16, little-endian, of unit length; null where the picture can't be read any more"
        ),
    },
)

MEMBERS = Table(
    path="members.parquet",
    row="a sample in a duplicate group",
    key=("sample_id",),
    columns={
        "sample_id": _SAMPLE_ID,
        "group_id": _GROUP_ID,
        "similarity_to_medoid": _column(pl.Float32, "cosine of the (whitened) embeddings, −1 to 1"),
    },
)

GROUPS = Table(
    path="groups.parquet",
    row="a duplicate group: two or more copies of one picture",
    key=("group_id",),
    columns={
        "group_id": _GROUP_ID,
        "copies": _column(pl.Int64, "rows of the data set in the group"),
        "distinct_images": _column(
            pl.Int64, "different decoded pictures among them; different embeddings where none was decoded"
        ),
        "distinct_captions": _column(pl.Int64, "different normalised captions among them"),
        "top_caption": _column(pl.String, "the caption of most copies, as first written; null without captions"),
        "top_caption_share": _column(pl.Float64, "share of the copies that carry the top caption, 0 to 1"),
        "caption_entropy": _column(pl.Float64, "Shannon entropy of the captions, bits"),
        "min_similarity": _column(pl.Float32, "smallest cosine of a member to the medoid"),
        "median_similarity": _column(pl.Float32, "median cosine of the members to the medoid"),
        "medoid": _column(pl.Int64, "sample_id of the member most like the others"),
        "split_from": _column(pl.Int64, "group_id of the chained group it was split from; null if not split"),
        "near_captions": _column(
            pl.Int64, "different captions once near-duplicates count as one; null while they are not compared"
        ),
        "near_top_share": _column(
            pl.Float64,
            "share of the copies that carry the top caption or a near-duplicate of it, 0 to 1; null likewise",
        ),
    },
)

FAMILIES = Table(
    path="families.parquet",
    row="a picture of a template family: pictures that share a part (a logo, a frame, a template) and are not copies; "
    "only where close looks were made",
    key=("family_id", "sample_id"),
    columns={
        "family_id": _column(pl.Int64, "template family: the smallest sample_id of its members' rows"),
        "sample_id": _column(pl.Int64, "the picture: the row of it that was compared"),
        "group_id": _column(pl.Int64, "duplicate group of which it is a copy; null where it stands once"),
        "copies": _column(pl.Int64, "rows of that group; 1 where it stands once"),
        "centre": _column(pl.Boolean, "the picture that all others of the family were compared with"),
        "inliers": _column(pl.Int32, "keypoints of the centre that lie on the common part; null for the centre"),
        "shared_area": _column(
            pl.Float32, "share of the centre's area that those keypoints span, 0 to 1; null for the centre"
        ),
        "distinct_captions": _column(pl.Int64, "different normalised captions of its rows"),
        "top_caption": _column(pl.String, "the caption of most of its rows, as first written; null without captions"),
    },
)

CAPTIONS = Table(
    path="captions.parquet",
    row="a normalised caption that at least one row carries",
    key=("prompt_id",),
    columns={
        "prompt_id": _PROMPT_ID,
        "caption": _column(pl.String, "the caption, as first written (by the smallest sample_id)"),
        "rows": _column(pl.Int64, "rows that carry it"),
        "groups": _column(pl.Int64, "duplicate groups with at least one of these rows"),
        "pictures": _column(pl.Int64, "different pictures under it: those groups, and its rows in no group"),
        "near_id": _column(
            pl.String,
            "prompt_id of the caption that leads its near-duplicates: of most rows, of equals the first written; its "
            "own where it leads or is alone",
        ),
        "near_rows": _column(pl.Int64, "rows that carry any caption with this near_id"),
        "near_pictures": _column(pl.Int64, "different pictures under any caption with this near_id"),
    },
)

MATCHES = Table(
    path="matches.parquet",
    row="a row that shows a picture of the run it was compared with (--against): its best match there. Not listed are "
    "further pictures there that it shows, and rows that are only near-duplicates of a listed one",
    key=("sample_id",),
    columns={
        "sample_id": _SAMPLE_ID,
        "other_sample_id": _column(pl.Int64, "sample of the other run: the first there with these very pixels"),
        "other_shard": _column(pl.String, "its shard, as its data set names it"),
        "other_key": _column(pl.String, "its key inside its shard, as its data set names it"),
        "other_url": _column(pl.String, "where it came from, if its data set says"),
        "other_caption": _column(pl.String, "its caption, as its data set gives it; null where there is none"),
        "other_copies": _column(pl.Int64, "rows of the other run in its duplicate group there; 1 where it is in none"),
        "look": _column(
            pl.String,
            "what found it: pixels (equal), thumbnail (the same picture), or similarity where there are no pictures",
        ),
        "similarity": _column(
            pl.Float32,
            "cosine, −1 to 1, of the embeddings, whitened as this run's; as they are where there are no pictures; 1 "
            "for equal pixels",
        ),
        "hash_distance": _column(
            pl.Int16, "Hamming distance of the perceptual hashes, 0 to 64 bits; null where there are no pictures"
        ),
        "look_distance": _column(
            pl.Float32, "mean absolute difference at mean 0, deviation 0.25; null where there are no pictures"
        ),
    },
)

MATCH_PAIRS = Table(
    path="matches_pairs/",
    row="a look at a pair of a distinct picture of this run and one of the run it is compared with",
    key=("sample_id", "other_sample_id"),
    columns={
        "sample_id": _SAMPLE_ID,
        "other_sample_id": _column(pl.Int64, "sample of the other run"),
        **{name: MATCHES.columns[name] for name in ("look", "similarity", "hash_distance", "look_distance")},
        "accepted": _column(pl.Boolean, "found to be one picture"),
    },
)

PROMPTS = Table(
    path="prompts.parquet",
    row="a prompt to try",
    key=("arm", "rank"),
    columns={
        "prompt_id": _PROMPT_ID,
        "rank": _column(pl.Int64, "1 is the riskiest (risk arm) or the first drawn (control arm)"),
        "arm": _column(pl.String, "risk or control"),
        "caption": _column(pl.String, "the caption, as written in the data set"),
        "url": _column(pl.String, "url of the group's medoid, or of the row"),
        "group_id": _column(
            pl.Int64,
            "duplicate group the caption belongs to; null in the control arm, and where pictures of a template family "
            "that stand once each share the caption",
        ),
        "copies": _column(pl.Int64, "rows in the group; 1 where there is none"),
        "caption_copies": _column(pl.Int64, "rows of the group (of the family where there is none) under this caption"),
        "caption_groups": _column(pl.Int64, "different pictures (groups or single rows) under this caption"),
        "sample_id": _column(
            pl.Int64, "the group's medoid, the control's own row, or the family's first row under this caption"
        ),
        "risk": _column(pl.Float64, "risk score, 0 to 1; 0 in the control arm"),
        "reason": _column(pl.String, "the score in words"),
        "risk_class": _column(pl.String, "high, medium or low, by the risk; null in the control arm"),
        "caption_rows": _column(pl.Int64, "rows of the data set under this caption"),
        "copies_part": _column(pl.Float64, "of the risk, 0 to 1: how often the picture was seen; 0 without a group"),
        "concentration": _column(
            pl.Float64, "of the risk, 0 to 1: how far the rows of the group (or family) speak as this caption does"
        ),
        "specificity": _column(
            pl.Float64,
            "of the risk, 0 to 1: part of all rows under this caption or a near-duplicate of it that is in the group "
            "(or family)",
        ),
        "template_part": _column(
            pl.Float64,
            "the family's risk, 0 to 1, before it is discounted; null where no family's pictures share the caption",
        ),
        "agreement": _column(
            pl.Float64,
            "text-image agreement, 0 to 1: share of the data set's own pairs of one caption and one picture whose "
            "cosine is lower; null where unknown",
        ),
        "family_id": _column(
            pl.Int64, "template family of which two pictures or more stand under this caption or a near-duplicate"
        ),
        "covered_rows": _column(
            pl.Int64,
            "rows of the data set in the groups and families of the prompts up to this rank, each counted once; null "
            "in the control arm",
        ),
    },
)

LEFT_OUT = Table(
    path="left_out.parquet",
    row="a duplicate group that no prompt of the risk arm stands for",
    key=("group_id",),
    columns={
        "group_id": _GROUP_ID,
        "copies": _column(pl.Int64, "rows in the group"),
        "reason": _column(
            pl.String, "no_caption: no copy has one; caption_taken: all of them stand in the list for other pictures"
        ),
        "prompt_id": _column(
            pl.String, "caption_taken: the prompt that has the caption most of its copies carry; null otherwise"
        ),
    },
)

MITIGATIONS = Table(
    path="mitigations.parquet",
    row="a row of the data set that a mitigation is about: one that stays of its group or is to be dropped from it (one"
    " copy of each picture stays); or, the other way, one that is to be given a caption of its own (all copies stay)",
    key=("mitigation", "sample_id"),
    columns={
        "mitigation": _column(pl.String, "keep (stays, and all others of its group go), drop, or recaption"),
        "sample_id": _SAMPLE_ID,
        "group_id": _GROUP_ID,
        "kept": _column(
            pl.Int64,
            "keep and drop: sample_id of the row that stays of the group; recaption: of the row of the group that keeps"
            " the caption, or a near-duplicate of it, that this one gives up",
        ),
        "captions": _column(
            pl.List(pl.String),
            "of a row that stays: the group's different captions as written, the one of most copies first, for "
            "captioning the one picture with several; null for the others",
        ),
        "copies_before": _column(pl.Int64, "rows in the group"),
        "copies_after": _column(pl.Int64, "rows in the group once the mitigation is carried out in it"),
        "risk_before": _column(
            pl.Float64, "highest risk of the group's captions that the prompts table lists, 0 to 1; 0 without captions"
        ),
        "risk_after": _column(pl.Float64, "the same afterwards, by the formula of the risk: not measured on a model"),
        "class_before": _column(pl.String, "class of the risk before: high, medium or low"),
        "class_after": _column(pl.String, "class of the risk afterwards"),
    },
)

TRIAGE = Table(
    path="triage.parquet",
    row="a detector's score of a prompt",
    key=("prompt_id", "detector"),
    columns={
        "prompt_id": _PROMPT_ID,
        "detector": _column(pl.String, "named for its paper"),
        "score": _column(pl.Float64, "larger is more suspicious"),
        "threshold": _column(
            pl.Float64, "the score that the stated share of control prompts passes, all deciding detectors together"
        ),
        "passed": _column(pl.Boolean, "score above the threshold, or no finite number"),
        "evaluations": _column(pl.Int64, "denoiser evaluations spent on the score; 0 where other rows' scores made it"),
        "decides": _column(
            pl.Boolean, "whether passing here lets the prompt be attacked; the parts of a combined rule stand beside it"
        ),
        "note": _column(pl.String, "why the score is no number, where it is none; such a prompt passes"),
    },
)

TRIAGE_SCORES = Table(
    path="triage/",
    row="a detector's score of a prompt, as it was computed; thresholds and decisions are in triage.parquet",
    key=("prompt_id", "detector"),
    columns={
        "prompt_id": _PROMPT_ID,
        "detector": _column(pl.String, "named for its paper"),
        "score": _column(pl.Float64, "larger is more suspicious"),
        "evaluations": _column(pl.Int64, "denoiser evaluations spent on the score"),
    },
)

GENERATIONS = Table(
    path="generations/",
    row="a generated image",
    key=("prompt_id", "image_index"),
    columns={
        "prompt_id": _PROMPT_ID,
        "image_index": _column(pl.Int64, "0, 1, 2, ...; 1,000,000 and up for the full-step evidence"),
        "seed": _column(
            pl.Int64,
            "seed of the image's generator, from (run seed, prompt_id, image_index); of an API that takes no seed only "
            "the image's number under that rule; of an image made elsewhere its own, null if it has none",
        ),
        "steps": _column(pl.Int64, "denoising steps; null where nobody can know: an API, images made elsewhere"),
        "sample_id": _column(pl.Int64, "nearest original by normalised_l2"),
        "normalised_l2": _column(
            pl.Float64, "l2 at mean 0, deviation 0.25: the smaller of original and reconstruction"
        ),
        "near": _column(
            pl.List(pl.Int64),
            "originals within the stored search radius, the nearest of each group, nearest first",
        ),
        "near_l2": _column(pl.List(pl.Float64), "their distances, in the same order"),
        "l2": _column(pl.Float64, "plain l2 on [0, 1] to the nearest original under plain l2 (the paper's distance)"),
        "l2_sample_id": _column(pl.Int64, "that original"),
        "png": _column(pl.Binary, "the image, PNG; null where there is none, or where it is not kept"),
        "evaluations": _column(pl.Int64, "denoiser evaluations spent on the image; 0 where nobody can know"),
        "defect": _column(
            pl.String, "why the image can't be used (flat, not_finite) or is not there (refused, ...); null if usable"
        ),
        "note": _column(
            pl.String, "what else is to be said of the image, such as a refusal's words, or its name in a stored set"
        ),
    },
)

CANDIDATES = Table(
    path="candidates.parquet",
    row="an attacked prompt",
    key=("prompt_id",),
    columns={
        "prompt_id": _PROMPT_ID,
        "generated": _column(pl.Int64, "images generated in the search rounds, without those that never came"),
        "clique_decision": _column(pl.String, "yes, no or undecided: a clique of at least the wanted size"),
        "clique_size": _column(pl.Int64, "size of the clique found; 0 if none"),
        "mean_distance": _column(pl.Float64, "mean tile distance inside the clique; null if none"),
        "seeds": _column(pl.List(pl.Int64), "seeds of the clique's images"),
        "decision": _column(pl.String, "accepted (generations agree), rejected (bound reached) or open"),
        "miss_bound": _column(
            pl.Float64, "chance that a prompt at the stated rate shows no agreement in so many usable images"
        ),
        "evaluations": _column(pl.Int64, "denoiser evaluations spent on the prompt's images; 0 where nobody can know"),
    },
)

VERIFIED = ("matching", "template", "retrieved")
"""Verdicts that make a prompt a hit (Webster 2023)."""

HITS = Table(
    path="hits.parquet",
    row="a verified prompt",
    key=("prompt_id",),
    columns={
        "prompt_id": _PROMPT_ID,
        "verdict": _column(pl.String, "matching, template, retrieved or none"),
        "sample_id": _column(pl.Int64, "the original that the generations agree on; null without agreement"),
        "original_state": _column(
            pl.String,
            "as_audited; or gone, undecodable or changed: that original could not be read as it was audited, and the "
            "distances are to its thumbnail; null without an original",
        ),
        "agreeing": _column(pl.Int64, "full-step generations within the threshold of that original"),
        "l2": _column(pl.Float64, "plain l2 on [0, 1] of the best generation to the original"),
        "normalised_l2": _column(pl.Float64, "l2 at mean 0, deviation 0.25 of the best generation to the original"),
        "tile_l2": _column(
            pl.Float64,
            "largest l2 over 4 × 4 tiles, best generation to original or reconstruction, the smaller",
        ),
        "reconstruction_l2": _column(pl.Float64, "normalised l2 to the original as the autoencoder gives it back"),
        "copy_similarity": _column(pl.Float64, "cosine of the run's embeddings of generation and original"),
        "template_area": _column(
            pl.Float64, "share of the picture that the layout covers, outside the mask; null: no layout is known"
        ),
        "template_l2": _column(
            pl.Float64,
            "normalised l2 in a layout's cells alone, of images that show no original whole; null beyond 0.12",
        ),
        "masked_share": _column(
            pl.Float64,
            "l2 of the second-nearest image to the original in the region that its layout masks, in medians of the l2 "
            "of two originals there; above 0.35 that region is not copied; null: no layout of the original is known",
        ),
        "placement": _column(
            pl.String,
            "mirrored, shifted, or mirrored and shifted: how two images lie on an original that they show "
            "no other way, which is no verdict; null: none found, or there is a verdict",
        ),
        "placement_x": _column(pl.Int64, "pixels that the original has moved to the right in them, mirrored back"),
        "placement_y": _column(pl.Int64, "pixels that it has moved down"),
        "placement_l2": _column(pl.Float64, "normalised l2 at which the second of the two shows it, so placed"),
        "placement_sample_id": _column(pl.Int64, "that original"),
        "k": _column(pl.Int64, "training rows within l2 0.1 of the original: k of (k, l, δ)-eidetic memorisation"),
        "seed": _column(pl.Int64, "seed of the best generation"),
        "evidence": _column(pl.Int64, "full-step generations made"),
        "paper_rule": _column(pl.Boolean, "any generation within l2 0.15 of any original (Carlini et al. 2023)"),
        "paper_l2": _column(pl.Float64, "smallest plain l2 of any generation to any original"),
    },
)

UNCONDITIONAL = Table(
    path="unconditional/",
    row="an image generated without a prompt",
    key=("image_index",),
    columns={
        "image_index": _column(pl.Int64, "0, 1, 2, ..."),
        "seed": _column(pl.Int64, "seed of the image's generator, from (run seed, image_index)"),
        "steps": _column(pl.Int64, "denoising steps"),
        "sample_id": _column(pl.Int64, "nearest training image by plain l2; null where the image can't be used"),
        "l2": _column(pl.Float64, "plain l2 on [0, 1] to it"),
        "mean_l2": _column(pl.Float64, "mean plain l2 to the nearest row of each of the 50 nearest distinct pictures"),
        "adaptive_l2": _column(pl.Float64, "l2 / (0.5 · mean_l2), 0 to 2: the paper's candidates lie below 1"),
        "png": _column(pl.Binary, "the image, PNG; kept where adaptive_l2 is below 1"),
        "evaluations": _column(pl.Int64, "denoiser evaluations spent on the image"),
        "defect": _column(pl.String, "why the image can't be used (flat, not_finite); null if usable"),
    },
)

UNCONDITIONAL_CONTROLS = Table(
    path="unconditional_controls.parquet",
    row="a training picture that stands once, compared with all others as if it had been generated",
    key=("sample_id",),
    columns={
        "sample_id": _SAMPLE_ID,
        "nearest": _column(pl.Int64, "sample_id of the nearest other picture by plain l2"),
        "l2": _column(pl.Float64, "plain l2 on [0, 1] to it"),
        "mean_l2": _column(pl.Float64, "mean plain l2 to the 50 nearest distinct other pictures"),
        "adaptive_l2": _column(pl.Float64, "l2 / (0.5 · mean_l2), 0 to 2"),
    },
)

MEMORISED = Table(
    path="memorised.parquet",
    row="a training picture (a duplicate group, or a row in none): the nearest of a generation of adaptive_l2 below 1",
    key=("sample_id",),
    columns={
        "sample_id": _column(pl.Int64, "the row nearest to the best generation"),
        "group_id": _column(pl.Int64, "its duplicate group; null where it stands once"),
        "copies": _column(pl.Int64, "rows of that group; 1 where it stands once"),
        "candidates": _column(pl.Int64, "generations with it nearest and adaptive_l2 below 1 (the paper's)"),
        "generations": _column(pl.Int64, "of these, those within the threshold that the controls set"),
        "memorised": _column(pl.Boolean, "two generations or more within the threshold show it"),
        "adaptive_l2": _column(pl.Float64, "smallest of its generations"),
        "l2": _column(pl.Float64, "plain l2 of that generation"),
        "image_index": _column(pl.Int64, "that generation"),
        "seed": _column(pl.Int64, "its seed"),
    },
)

CALIBRATION = Table(
    path="calibration.parquet",
    row="a cosine threshold, in one of the two uses of a cosine",
    key=("kind", "cosine"),
    columns={
        "kind": _column(
            pl.String,
            "proposes (whitened where the set is large enough; pictures decide) or decides (as they are, no pictures)",
        ),
        "cosine": _column(pl.Float64, "the threshold: a pair of this cosine or more reaches it"),
        "chosen": _column(pl.Boolean, "the threshold at the stated false-positive rate"),
        "reached": _column(pl.Int64, "random pairs that reach it, without known copies"),
        "pairs": _column(pl.Int64, "of so many"),
        "rate": _column(pl.Float64, "the same as a share: the false-positive rate"),
        "rate_low": _column(pl.Float64, "lower end of its exact 95 % interval"),
        "rate_high": _column(pl.Float64, "upper end of it"),
        "rate_with_left_out": _column(pl.Float64, "the share if none of the pairs that were left out were copies"),
        "candidates_per_row": _column(pl.Float64, "pictures that reach it with a picture by chance, on average"),
        "known": _column(pl.Int64, "pairs that the run accepted as copies"),
        "known_reached": _column(pl.Int64, "those that reach it; copies that the run did not find are not among them"),
        "known_share": _column(pl.Float64, "the same as a share; null without accepted pairs"),
        "medoid_share": _column(pl.Float64, "share of the groups' distinct members that reach it with their medoid"),
        "precision": _column(pl.Float64, "of the labelled pairs that reach it, those labelled as the same; null: none"),
        "precision_low": _column(pl.Float64, "lower end of its exact 95 % interval"),
        "precision_high": _column(pl.Float64, "upper end of it"),
        "recall": _column(pl.Float64, "of the pairs labelled as the same, those that reach it; null: none"),
        "recall_low": _column(pl.Float64, "lower end of its exact 95 % interval"),
        "recall_high": _column(pl.Float64, "upper end of it"),
    },
)

REVIEWS = Table(
    path="reviews/",
    row="a decision of a reviewer about what the review page showed; rows are only ever added, and the last one of a "
    "reviewer about an item holds",
    key=("item", "reviewer", "decided_at", "session", "number"),
    columns={
        "item": _column(
            pl.String,
            "what was looked at, by its content, 32 hex digits: the pixels of a generation and its original, or those "
            "of a group's different pictures",
        ),
        "kind": _column(pl.String, "pair (a generation beside an original) or group (of duplicates)"),
        "reviewer": _column(pl.String, "who decided, as the page was told"),
        "decided_at": _column(pl.Datetime("us", "UTC"), "when"),
        "session": _column(pl.String, "the process that wrote it down; no other writes into its files"),
        "number": _column(pl.Int64, "of the decision in that session, from 0"),
        "decision": _column(pl.String, "accepted, rejected, unsure, or withdrawn (as if never decided)"),
        "note": _column(pl.String, "what the reviewer wrote beside it; null: nothing"),
        "prompt_id": _column(pl.String, "of a pair: the prompt, where there is one"),
        "sample_id": _column(pl.Int64, "of a pair: its original in the run where it was looked at; of a group: null"),
        "group_id": _column(pl.Int64, "of a group: its group_id in the run where it was looked at; of a pair: null"),
        "taken_from": _column(pl.String, "the run that it was taken over from; null where it was made in this one"),
    },
)

TABLES: Mapping[str, Table] = {
    "files": FILES,
    "samples": SAMPLES,
    "signals": SIGNALS,
    "errors": ERRORS,
    "pairs": PAIRS,
    "members": MEMBERS,
    "groups": GROUPS,
    "captions": CAPTIONS,
    "matches": MATCHES,
    "matches_pairs": MATCH_PAIRS,
    "families": FAMILIES,
    "calibration": CALIBRATION,
    "prompts": PROMPTS,
    "left_out": LEFT_OUT,
    "mitigations": MITIGATIONS,
    "triage_scores": TRIAGE_SCORES,
    "triage": TRIAGE,
    "generations": GENERATIONS,
    "candidates": CANDIDATES,
    "hits": HITS,
    "unconditional": UNCONDITIONAL,
    "unconditional_controls": UNCONDITIONAL_CONTROLS,
    "memorised": MEMORISED,
    "reviews": REVIEWS,
}
