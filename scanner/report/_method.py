"""How the figures came about: every setting, threshold, checksum and version that the run recorded, and the
papers.

The run's own records are shown as they are, whatever they hold; those whose names are known get a plain
sentence.

    >>> flatten({"model": {"name": "demo", "tags": ["a", "b"]}})
    [('model.name', 'demo'), ('model.tags', 'a, b')]
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scanner.report._findings import Method, Thresholds
from scanner.report._records import Setting
from scanner.run import Run
from scanner.verify import COPIED

MEANINGS: Mapping[str, str] = {
    "seed": "everything random comes from it, the prompt and the image's number",
    "threshold": "cosine similarity that proposes a pair",
    "steps": "denoising steps of a full-step image",
    "search_steps": "denoising steps of a search image, round by round",
    "seeds": "most images generated in the search for one prompt",
    "evidence": "full-step images of a prompt, at most",
    "record": "full-step images that every accepted prompt has, at least",
    "look_rate": "share of control prompts that the search may look at with full-step images, after each round",
    "look_limits": "a search image nearer to an original than this, per round, is made again at full steps",
    "originals": "whether generations are looked up among the training images",
    "keep_images": "generated images that stay on disk",
    "stopped": "why the attack ended before its rounds did",
    "miss": "chance of missing a memorised prompt at which the search gives it up",
    "false_positive_rate": "share of control prompts that may pass a threshold",
    "clique": "generations that must all be alike (Carlini et al. 2023)",
    "fit": "how training images are made square for the target",
    "pretrained": "tag of the embedding model's weights",
    "guidance": "scale of classifier-free guidance",
    "normalised_threshold": "a generation within this normalised l2 of an original agrees with it",
    "copy_similarity_by": "the network whose cosine of generation and original is each hit's copy similarity",
    "template_threshold": "a generation within this normalised l2 of a layout, compared there alone, shows it",
    "triage_threshold": "a prompt is attacked when its triage score is above this",
    "control_false_positive_rate": "the share of controls that may pass a threshold, by which it was set",
    "adaptive_threshold": "an image within this adaptive distance of a training picture shows it",
    "images": "images of a model that takes no prompt",
    "training_pictures": "different training pictures that these were compared with",
    "edge_threshold": "two generations nearer than this tile distance are joined in the clique test",
    "ceiling": "the threshold that was set before the control arm was looked at",
    "passing": "controls that pass the threshold",
    "distinct": "distinct pictures among the rows searched",
    "proposed": "pairs that a fingerprint proposed",
    "looked": "pairs whose pictures were compared",
    "accepted": "pairs found to show one picture",
    "look": "what decides on a pair: a look at thumbnails, or similarity (cosine) where there are no pictures",
    "cosine": "cosine that proposes a pair, or decides where there are no pictures",
    "own_embeddings": "array of the data set's own embeddings, which were taken as they are",
    "embeddings_state": "of the files of the embeddings that were given",
    "checked": "rows embedded again to see that the given embeddings are this model's",
    "worst": "smallest cosine of a given embedding to the model's own",
    "given": "embeddings that were given",
    "ambiguous": "of these, whose key another one has: given to no row",
    "originals_missing": "rows whose image can't be had: if it came back, nobody would know",
    "originals_fetched": "originals that were downloaded for this attack, since the data set gives only their urls",
    "copy_model": "file of the copy-detection network that compares what thumbnails and geometry leave open",
    "copy_model_sha256": "of that file",
    "copy_model_width": "numbers in one of its embeddings",
    "copy_preprocessing": "how images are brought to its size: skew squeezes them, small keeps their aspect",
    "copy_threshold": "cosine of two of its embeddings that makes a pair (SSCD: 0.75 for 90 % precision on DISC2021)",
    "looked_closely": "pairs that the thumbnails refused and whose geometry was compared",
    "looked_by_copy_model": "pairs that were open then and that the copy model compared",
    "over_budget": "pictures whose look-alikes were too many to compare all",
    "rows_in": "rows of the data set, counted by the scan",
    "checksum": "of the model's weights",
    "target_checksum": "of the target's weights",
    "requests": "requests sent to the image API, retries among them",
    "cost": "images × the price that was given",
    "without_prompt": "images of the stored set that have no prompt, and were left out",
    "repeated": "files of the stored set that are in a prompt already, and count once",
    "recall": "share of the true pairs that the search found, measured by brute force on a sample",
    "with_neighbours": "pictures drawn for it that have a near-duplicate",
    "complete": "of these, with all of their near-duplicates found",
}
"""What a setting means, by the last part of its name."""

SOURCES = (
    (
        "Carlini, Hayes, Nasr, Jagielski, Sehwag, Tramèr, Balle, Ippolito, Wallace: Extracting Training Data "
        "from "
        "Diffusion Models. USENIX Security 2023. The attack, its l2 rule and the tile distance.",
        "https://arxiv.org/abs/2301.13188",
    ),
    (
        "Wen, Liu, Chen, Lyu: Detecting, Explaining, and Mitigating Memorization in Diffusion Models. ICLR "
        "2024. "
        "The one-step triage score.",
        "https://openreview.net/forum?id=84n3UwkH7b",
    ),
    (
        "Webster: A Reproducible Extraction of Training Images from Diffusion Models. 2023. The verdicts "
        "matching, "
        "template and retrieved; the triage scores denoising confidence and edge consistency.",
        "https://arxiv.org/abs/2305.08694",
    ),
    (
        "Chen, Liu, Shah, Xu: Exploring Local Memorization in Diffusion Models via Bright Ending Attention. ICLR 2025. "
        "The triage score bright ending.",
        "https://arxiv.org/abs/2410.21665",
    ),
    (
        "Jeon, Kim, No: Understanding and Mitigating Memorization in Generative Models via Sharpness of Probability "
        "Landscapes. ICML 2025. The triage score Hessian sharpness.",
        "https://arxiv.org/abs/2412.04140",
    ),
    (
        "Asthana, Belagiannis: Detecting and Mitigating Memorization in Diffusion Models through Anisotropy of the "
        "Log-Probability. ICLR 2026. The triage score anisotropy.",
        "https://arxiv.org/abs/2601.20642",
    ),
    (
        "Somepalli, Singla, Goldblum, Geiping, Goldstein: Understanding and Mitigating Copying in Diffusion "
        "Models. "
        "NeurIPS 2023. Why one caption on all copies raises the risk.",
        "https://arxiv.org/abs/2305.20086",
    ),
    (
        "Clopper, Pearson: The use of confidence or fiducial limits illustrated in the case of the binomial. "
        "Biometrika 26, 1934. The exact intervals.",
        "https://doi.org/10.1093/biomet/26.4.404",
    ),
)
"""Reference and link of each paper that a figure rests on."""

COPY_SOURCE = (
    "Pizzi, Dutta Roy, Nagavara Ravindra, Goyal, Douze: A Self-Supervised Descriptor for Image Copy Detection. CVPR "
    "2022. The copy model, where the file that was given is SSCD.",
    "https://arxiv.org/abs/2202.10261",
)
"""That of the network of `--copy-model`, which only some runs have."""


MOST_SETTINGS = 60
"""Entries of one mapping above which it is no longer shown line by line."""


def flatten(content: Mapping[str, Any], name: str = "") -> list[tuple[str, str]]:
    """Nested settings as (dotted name, text), in the order of their names.

    A list of things rather than of settings (a fingerprint of every shard) is one line that counts them.
    """
    if len(content) > MOST_SETTINGS:
        return [(name, f"{len(content):,} entries")]
    lines: list[tuple[str, str]] = []
    for key, value in sorted(content.items()):
        dotted = f"{name}.{key}".strip(".")
        lines += flatten(value, dotted) if isinstance(value, Mapping) and value else [(dotted, as_text(value))]
    return lines


def as_text(value: Any) -> str:
    """A setting's value as a person would write it."""
    if value is None or value in ({}, []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return ", ".join(as_text(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def settings(content: Mapping[str, Any] | None) -> tuple[Setting, ...]:
    """Every line of a configuration, with its meaning where the name is known."""
    return tuple(
        Setting(name=name, value=value, meaning=MEANINGS.get(name.rsplit(".", 1)[-1], ""))
        for name, value in flatten(content or {})
    )


def method(run: Run) -> Method:
    """The run's settings, what its parts recorded, the versions, and the papers."""
    manifest = run.manifest()
    copied = run.config.get("copy_model") or (run.part_config("attack") or {}).get("copy_model")
    return Method(
        scan=settings(run.config),
        attack=settings(run.part_config("attack")),
        results=settings(manifest.get("parts")),
        versions=settings(manifest.get("versions")),
        sources=(*SOURCES, COPY_SOURCE) if copied else SOURCES,
    )


def thresholds(run: Run, *, controls: int) -> Thresholds:
    """The thresholds that the attack's part of the manifest records, as a number or with how it was set.

    `controls` is the number of attacked ones: a false-positive rate finer than 1 / controls can't be told from
    zero, so the finest that can is given instead.
    """
    part = run.manifest().get("parts", {}).get("attack", {})
    names = ("normalised_threshold", "template_threshold", "triage_threshold")
    agreement, template, triage = (_recorded(part.get(name)) for name in names)
    asked = part.get("control_false_positive_rate", agreement.get("rate"))
    ceiling = agreement.get("ceiling")
    return Thresholds(
        normalised_l2=agreement.get("value"),
        lowered=None if ceiling is None else agreement["value"] < ceiling,
        template_l2=template.get("value"),
        masked_share=None if template.get("value") is None else COPIED,
        triage=triage.get("value"),
        false_positive_rate=max(asked, 1 / controls) if asked is not None and controls else None,
    )


def _recorded(threshold: Any) -> Mapping[str, Any]:
    return threshold if isinstance(threshold, Mapping) else {"value": threshold}


def name_of(value: Any, otherwise: str) -> str:
    """A data set's or a model's name from its configuration: the text, or its `name` or `path`.

    Of an absolute path the last part: the rest says where it lay on one machine, and stands under Method.
    """
    if isinstance(value, Mapping):
        value = value.get("name") or value.get("path")
    text = str(value) if value else otherwise
    return Path(text).name if Path(text).is_absolute() else text
