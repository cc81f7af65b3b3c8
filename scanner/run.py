"""A run directory: the whole state of a scan, resumable, and never mixed with another configuration.

RUN/run.json        written first: what is being scanned, and how (a resumed run must agree with it)
RUN/attack.json     the same for the attack
RUN/samples/ ...    tables, see `scanner.tables`
RUN/manifest.json   written last: every table with its rows, so its existence means the work is complete

>>> from scanner.run import Run
>>> run = Run.claim(Path("RUN"), {"dataset": "laion/", "threshold": 0.5})   # doctest: +SKIP
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from scanner.errors import UnusableInputError
from scanner.files import replacing
from scanner.tables import TABLES, Table

PACKAGES = (
    "trainset-scanner",
    "torch",
    "open_clip_torch",
    "diffusers",
    "transformers",
    "polars",
    "numpy",
    "pillow",
    "pyarrow",
    "img2dataset",
)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    text = json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages whose numbers end up in the tables."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _differences(old: Any, new: Any, name: str = "") -> list[str]:
    """Names of the fields in which two configurations differ, nested ones with dots."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        return [field for key in keys for field in _differences(old.get(key), new.get(key), f"{name}.{key}".strip("."))]
    return [] if old == new else [name]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run directory that exists and whose configuration is known."""

    path: Path
    """The directory."""
    config: Mapping[str, Any]
    """What is scanned and how: the content of run.json."""

    @classmethod
    def claim(cls, path: Path, config: Mapping[str, Any]) -> "Run":
        """Begin a run in `path`, or resume the one that is there under the same configuration.

        Raises UnusableInputError, and writes nothing, when `path` holds other files or a run that differs;
        the message names the first field that differs.
        """
        config = json.loads(json.dumps(config))
        header = path / "run.json"
        if path.exists() and not path.is_dir():
            raise UnusableInputError(f"{path} is a file; name a directory for the run.")
        # a run killed before its header was renamed leaves the header's temporary file, and nothing else
        if not header.exists() and path.exists() and any(not _is_temporary(file) for file in path.iterdir()):
            raise UnusableInputError(f"{path} holds files that are not a run; name a new or an empty directory.")
        _claim_header(header, config)
        return cls(path=path, config=config)

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Open a run that exists. Raises UnusableInputError when `path` is none."""
        header = path / "run.json"
        if not header.exists():
            raise UnusableInputError(
                f"{path} is not a run directory (it has no run.json); make one with `scanner audit`."
            )
        return cls(path=path, config=_read_header(header)["config"])

    def claim_part(self, name: str, config: Mapping[str, Any]) -> None:
        """Begin or resume a part of the run (`attack`) that has its own configuration, in NAME.json."""
        _claim_header(self.path / f"{name}.json", json.loads(json.dumps(config)))

    def part_config(self, name: str) -> dict[str, Any] | None:
        """The configuration of a part, or None when it was never begun."""
        header = self.path / f"{name}.json"
        return dict(_read_header(header)["config"]) if header.exists() else None

    def read(self, table: Table) -> pl.DataFrame:
        return table.read(self.path)

    def finish(self, part: str, summary: Mapping[str, Any]) -> None:
        """Write the manifest: the rows of every table there is, and each part's summary."""
        path = self.path / "manifest.json"
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        rows = {
            name: table.scan(self.path).select(pl.len()).collect().item()
            for name, table in TABLES.items()
            if table.exists(self.path)
        }
        parts = before.get("parts", {}) | {part: dict(summary)}
        write_json(path, {"tables": rows, "parts": parts, "versions": versions()})

    def reopen(self) -> None:
        """Take the manifest away: there is more to be done, and it comes back when that is."""
        (self.path / "manifest.json").unlink(missing_ok=True)

    def manifest(self) -> dict[str, Any]:
        """The manifest, or an empty one when the run is not finished."""
        path = self.path / "manifest.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _is_temporary(file: Path) -> bool:
    return file.name.startswith(".run.json.") and file.name.endswith(".tmp")


def _read_header(header: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(header.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"{header} is not readable as JSON; the run directory is damaged.") from error


def _claim_header(header: Path, config: Mapping[str, Any]) -> None:
    if not header.exists():
        write_json(header, {"config": config, "versions": versions()})
        return
    differing = _differences(_read_header(header)["config"], config)
    if differing:
        raise UnusableInputError(
            f"{header.parent} was made with another configuration ({', '.join(differing)} differ); "
            "use the same settings to resume it, or name another directory."
        )
