"""Verification: the index of originals, and a verdict on every attacked prompt.

The originals are read once in the target's own training transform, shard by shard; the verdicts are computed from the
stored generations alone, so other thresholds need no new images.

A run on a data set of embeddings has the images that were found beside them or fetched for this attack, or none. Rows
without an image are left out of the index and counted (`originals_missing`); without any image nothing can be verified,
and the attack is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.engines import Job, LocalEngine, require
from pipelines.fetching import can_be_fetched
from pipelines.search import Prompt, Search
from scanner.attack import agreement
from scanner.errors import UnusableInputError
from scanner.fingerprints import CopyModel, load_embedder
from scanner.images import image_places, images_of
from scanner.prompts import prompt_id
from scanner.run import Run
from scanner.samples import OWN_MODEL, StoredImages
from scanner.tables import FAMILIES, HITS, MEMBERS, SAMPLES
from scanner.targets import Target
from scanner.verify import (
    TEMPLATE_CEILING,
    AgreementThreshold,
    BlockMeans,
    CopySimilarity,
    Evidence,
    Layouts,
    Originals,
    SquarePictures,
    Verifier,
    agreement_threshold,
    full_steps,
    has_blocks,
    has_earlier_blocks,
    near_originals,
    shown_layout,
    stored_blocks,
    units_of,
    write_blocks,
)


@dataclass(frozen=True, kw_only=True)
class NamedSimilarity:
    """Copy similarity, and whose it is."""

    name: str
    """The network's, as the report gives it."""
    of: CopySimilarity
    """Cosine of two pictures' embeddings."""


def stored_images(run: Run, *, fetch: bool = False) -> StoredImages:
    """The images of a run's data set, if need be yet to `fetch`.

    Raises UnusableInputError when they are gone, or when there never were any.
    """
    images = images_of(run)
    if not images.root.exists():
        raise UnusableInputError(
            f"The data set {images.root} is gone, and the attack compares with its images; put it back."
        )
    none = image_places(run).select(pl.col("file").is_null().all()).collect().item()
    if none and not (fetch and can_be_fetched(run)):
        raise no_originals(run)
    return images


def no_originals(run: Run) -> UnusableInputError:
    """What is wrong with a run of which no image can be read."""
    return UnusableInputError(
        f"No row of {run.path} has an image that can be had, and an attack is verified against the images; put them "
        "where the data set's paths say, at or below its folder, and audit it again (--no-originals attacks all the "
        "same: cliques are found, and nothing is verified)."
    )


def open_originals(run: Run, target: Target, group_of: Mapping[int, int], engine: LocalEngine) -> Originals:
    """The index of all distinct originals in the target's transform, built shard by shard unless it is there.

    Raises UnusableInputError when none of them can be read.
    """
    images = stored_images(run)
    distinct = distinct_pictures(run)
    shards = by_shard(distinct)
    job = Job(
        name="originals (index of an earlier version: made anew)" if has_earlier_blocks(run.path) else "originals",
        shards=shards,
        make=lambda: BlockMeans(images, target.transform),
        done=lambda shard: has_blocks(run.path, shard_part(shard)),
        write=lambda shard, arrays: write_blocks(run.path, shard_part(shard), arrays),
    )
    require(engine.run(job))
    blocks = stored_blocks(run.path)
    if not len(blocks.sample_id):
        raise no_originals(run)
    pictures = SquarePictures(images, distinct, target.transform, blocks)
    reconstruct = target.reconstruct if target.has_autoencoder else None
    return Originals(blocks, pictures, group_of, reconstruct)


def distinct_pictures(run: Run) -> pl.DataFrame:
    """The first row of each picture that has an image: where it lies."""
    return _with_images(run).unique("picture", keep="first", maintain_order=True)


def by_shard(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows of each shard, with its number in the column `shard`."""
    return rows.with_columns(shard=pl.col("sample_id") // 2**32).partition_by("shard", maintain_order=True)


def _with_images(run: Run) -> pl.DataFrame:
    """The rows that have an image, in order; `picture` tells the pictures apart: by their pixels, or by their files
    where they were never decoded."""
    rows = image_places(run).filter(pl.col("file").is_not_null()).collect().sort("sample_id")
    return rows.with_columns(picture=pl.coalesce("pixel_sha256", pl.format("{} {}", pl.col("file"), pl.col("offset"))))


def copies_of(run: Run) -> dict[int, int]:
    """By the first row of each picture that has an image, how many rows show it."""
    copies = _with_images(run).group_by("picture").agg(pl.col("sample_id").min(), pl.len())
    return dict(copies.select("sample_id", "len").iter_rows())


def originals_missing(run: Run, originals: Originals) -> int:
    """Rows that are not in the index since their image can't be had: if it came back, nobody would know."""
    rows = SAMPLES.scan(run.path).select(pl.len()).collect().item()
    copies = copies_of(run)
    return int(rows - sum(copies[int(sample)] for sample in originals.blocks.sample_id))


def shard_part(shard: pl.DataFrame) -> str:
    """The name of a shard's file."""
    return f"{shard['shard'][0]:05d}"


def write_hits(  # noqa: PLR0913, PLR0917 - both arms and what they are read against
    run: Run,
    search: Search,
    originals: Originals,
    risk: Sequence[Prompt],
    control: Sequence[Prompt],
    threshold: AgreementThreshold,
    similarity: NamedSimilarity | None,
) -> AgreementThreshold:
    """The hits table, a row for every prompt that images were made of; and the threshold of layouts, read off the
    control arm for what the threshold of whole pictures leaves of its rate."""
    samples = run.read(SAMPLES).select("sample_id", "caption")
    own = _own_originals(samples, originals.group_of)
    layouts = _layouts(run, originals, {prompt.prompt_id: own[prompt.prompt_id] for prompt in risk})
    template = _template_threshold(search, layouts, own, control, threshold)
    verifier = Verifier(
        originals,
        layouts,
        copies_of=copies_of(run),
        copy_similarity=None if similarity is None else similarity.of,
        threshold=threshold.value,
        template_threshold=template.value,
    )
    prompts = (*risk, *control)
    evidence = (
        Evidence(prompt_id=prompt.prompt_id, own=own[prompt.prompt_id], generations=rows)
        for prompt, rows in zip(prompts, search.generations(prompts), strict=True)
        if len(rows)
    )
    HITS.write(run.path, HITS.frame(verifier(prompt) for prompt in evidence))
    return template


def _layouts(run: Run, originals: Originals, own: Mapping[str, frozenset[int]]) -> Layouts:
    """Those of the originals behind the prompts of the risk arm."""
    indexed = set(originals.blocks.sample_id.tolist())
    members = run.read(MEMBERS).filter(pl.col("sample_id").is_in(list(indexed))).sort("sample_id")
    groups = {int(group): part["sample_id"].to_list() for (group,), part in members.group_by("group_id")}
    shown = run.read(FAMILIES) if FAMILIES.exists(run.path) else FAMILIES.empty()
    families = [
        [sample for sample in part["sample_id"].to_list() if sample in indexed]
        for _, part in shown.sort(FAMILIES.key).group_by("family_id", maintain_order=True)
    ]
    known = [family for family in families if len(family) > 1]
    held = {prompt: frozenset(one for one in mine if one in indexed) for prompt, mine in own.items()}
    return Layouts(units_of(held, known, groups, originals.group_of), originals)


def _template_threshold(
    search: Search,
    layouts: Layouts,
    own: Mapping[str, frozenset[int]],
    control: Sequence[Prompt],
    threshold: AgreementThreshold,
) -> AgreementThreshold:
    distances = list[float | None]()
    for prompt, rows in zip(control, search.generations(control), strict=True):
        if not rows.height:
            continue
        full = full_steps(rows)
        whole = agreement(near_originals(full), layouts.originals.group_of, threshold=threshold.value)
        matches = whole is not None and whole.distance <= threshold.value
        layout = None if matches else shown_layout(full, own[prompt.prompt_id], layouts)
        distances.append(None if layout is None else layout.l2)
    return agreement_threshold(distances, ceiling=TEMPLATE_CEILING, rate=threshold.rate, spent=threshold.passing)


def copy_similarity_of(run: Run, copy_model: CopyModel | None) -> NamedSimilarity | None:
    """By the copy model where there is one, else by the audit's own model; None where the data set brought its
    embeddings, and nobody knows the model."""
    if copy_model is not None:
        return NamedSimilarity(name=copy_model.name, of=lambda a, b: _cosine(copy_model(a), copy_model(b)))
    if run.config["model"] == OWN_MODEL:
        return None
    embedder = load_embedder(run.config["model"], run.config["pretrained"])
    return NamedSimilarity(name=f"the audit's model, {run.config['model']}", of=lambda a, b: _cosine(*embedder([a, b])))


def _cosine(first: NDArray[np.float16], second: NDArray[np.float16]) -> float:
    return float(first.astype(np.float64) @ second.astype(np.float64))


def _own_originals(samples: pl.DataFrame, group_of: Mapping[int, int]) -> dict[str, frozenset[int]]:
    """Per prompt id: the originals that carry its caption."""
    own: dict[str, set[int]] = {}
    for sample, caption in samples.select("sample_id", "caption").iter_rows():
        if caption is not None and (prompt := prompt_id(caption)) is not None:
            own.setdefault(prompt, set()).add(group_of.get(sample, sample))
    return {prompt: frozenset(originals) for prompt, originals in own.items()}
