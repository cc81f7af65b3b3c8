"""PyRIT's seed data set (YAML): `seeds`, whose `value` is the caption and whose `metadata` is the rest of a prompt.

PyRIT renders each value of a YAML file as Jinja2 when it loads the file. So a value is a template that renders to the
caption: `_templates`, and the line breaks that Jinja2 would change (a carriage return anywhere, a line break at the
end) as strings of the template. Every caption fits. Metadata are texts and whole numbers, which every release takes.
Older releases call the list `prompts`.

https://azure.github.io/PyRIT (read: `SeedDataset.from_yaml_file` and `SeedPrompt` of 1.1)

scanner export RUN --format pyrit --out captions.prompt
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing
from scanner.exports.prompts._json import AT_ONCE, scalar
from scanner.exports.prompts._templates import NOTHING, without_tags


def encode(prompts: pl.DataFrame, facts: ListFacts) -> Iterator[bytes]:
    """What is said of the list, then a seed a prompt; every text in double quotes."""
    yield _head(facts).encode("utf-8")
    for part in prompts.iter_slices(AT_ONCE):
        yield "".join(_seed(row) for row in part.iter_rows(named=True)).encode("utf-8")


def template(caption: str) -> str:
    """What PyRIT's rendering turns into `caption`."""
    text = without_tags(caption).replace("\r", r'{{"\r"}}')
    return text + NOTHING if caption.endswith("\n") else text


def _head(facts: ListFacts) -> str:
    attacked = "" if facts.target is None else f", after an attack on {facts.target}"
    fields: dict[str, str | list[str]] = {
        "dataset_name": "trainset_scanner_captions",
        "name": "Captions of duplicated training images",
        "description": f"Captions of {facts.dataset}, ranked by the risk that a text-to-image model gives their "
        f"training image back{attacked}.",
        "harm_categories": ["memorization"],
        "source": facts.dataset,
        "authors": [f"trainset-scanner {facts.version}"],
        "data_type": "text",
        "seed_type": "prompt",
    }
    return "".join(f"{name}: {scalar(value)}\n" for name, value in fields.items()) + "seeds:\n"


def _seed(row: dict[str, Any]) -> str:
    metadata = {
        name: value if type(value) is int else str(value)
        for name, value in row.items()
        if value is not None and name not in ("caption", "prompt_id")
    }
    return f"- value: {scalar(template(row['caption']))}\n  name: {scalar(row['prompt_id'])}\n  metadata:\n" + "".join(
        f"    {name}: {scalar(value)}\n" for name, value in metadata.items()
    )


_SEEDS = Writing(encode=encode)
PYRIT = PromptFormat(
    name="pyrit",
    consumer="PyRIT's seed data sets",
    writings={".prompt": _SEEDS, ".yaml": _SEEDS, ".yml": _SEEDS},
)
