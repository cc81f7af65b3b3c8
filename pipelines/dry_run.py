"""What an audit would do, before anything is written, decoded or requested.

    scanner audit laion2B-en/ --out RUN --where "punsafe < 0.1" --dry-run

Of a list of URLs every row is judged, so that its numbers of rows are exact; a remote list is read for that, but no
image is asked for. Bytes are estimates, and say what they are based on.
"""

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from pipelines.configs import AuditConfig, DownloadConfig
from pipelines.opening import open_input, options_of
from scanner.samples import Options, UrlList, judge

IMAGE_BYTES = 130_000
"""Of an average image on the web: img2dataset's README reckons 130 MB/s for a thousand images a second."""
SERVED_BYTES_PER_PIXEL = 0.25
"""Of a JPEG on the web: 2 bits a pixel (medians of 1.8 to 2.1 for 0.1 to 0.4 megapixels, HTTP Archive 2024,
https://github.com/webmproject/codec-compare/wiki/Bits-per-pixel-of-Internet-images)."""
STORED_BYTES_PER_PIXEL = 29.9e9 / 1e6 / 256**2
"""Of a JPEG that img2dataset makes: its README gives 29.9 GB for a million of 256 × 256 at quality 95."""
_USUAL_ASPECT = 4 / 3
_WIDTHS, _HEIGHTS = ("original_width", "width"), ("original_height", "height")


@dataclass(frozen=True, kw_only=True)
class Download:
    """What a list of URLs comes to."""

    rows: int
    """Rows of the list, up to the limit."""
    wanted: int
    """Rows to download."""
    set_aside: int
    """Rows that --where and --sample leave out."""
    unusable: int
    """Rows that can't be read, or have no address of http or https."""
    download_bytes: int
    """To fetch, roughly, if every address still answers."""
    store_bytes: int
    """To store in the run, roughly."""
    basis: str
    """What the two are based on."""


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What there is and what would be done."""

    dataset: str
    """Where it lies."""
    layout: str
    """Name of the layout."""
    shards: int
    """Shards that would be read; of a list of URLs, its files."""
    files: int
    """Files that they lie in."""
    bytes: int
    """Size of these files."""
    download: Download | None = None
    """Of a list of URLs alone."""


def dry_run(dataset: str | Path, config: AuditConfig, downloading: DownloadConfig) -> DryRun:
    """Look at the data set as an audit would. Raises UnusableInputError as an audit would."""
    options = options_of(config)
    found = open_input(dataset, options)
    files = {name: state.size for shard in found.shards for name, state in shard.files.items()}
    return DryRun(
        dataset=str(found.name if isinstance(found, UrlList) else found.root),
        layout=found.layout,
        shards=len(found.shards),
        files=len(files),
        bytes=sum(files.values()),
        download=_reckon(found, options, downloading.image_size) if isinstance(found, UrlList) else None,
    )


@dataclass
class _Sum:
    """Rows and bytes so far."""

    wanted: int = 0
    set_aside: int = 0
    unusable: int = 0
    sized: int = 0
    served: float = 0.0
    stored: float = 0.0
    names: set[str] = field(default_factory=set)


def _reckon(urls: UrlList, options: Options, image_size: int) -> Download:
    columns = [name for name in urls.columns if name.lower() in (*_WIDTHS, *_HEIGHTS)]
    total = _Sum()
    for part in judge(urls, options, columns):
        aside = part.marks["reason"].is_in(["sample", "where"]).fill_null(False)
        wanted = part.marks["reason"].is_null()
        total.set_aside += int(aside.sum())
        total.wanted += int(wanted.sum())
        total.unusable += int((~aside & ~wanted).sum()) + sum(row.number is not None for row in part.broken)
        if part.frame.width:
            _add_sizes(total, part.frame.filter(wanted), image_size)
    unsized = total.wanted - total.sized
    each = IMAGE_BYTES if image_size == 0 else min(IMAGE_BYTES, image_size**2 * _USUAL_ASPECT * STORED_BYTES_PER_PIXEL)
    return Download(
        rows=total.wanted + total.set_aside + total.unusable,
        wanted=total.wanted,
        set_aside=total.set_aside,
        unusable=total.unusable,
        download_bytes=round(total.served + unsized * IMAGE_BYTES),
        store_bytes=round(total.stored + unsized * each),
        basis=_basis(total, unsized),
    )


def _add_sizes(total: _Sum, frame: pl.DataFrame, image_size: int) -> None:
    """Add the bytes of the rows whose width and height the list gives."""
    found = [_column(frame, names) for names in (_WIDTHS, _HEIGHTS)]
    if None in found:
        return
    width, height = (pl.col(str(name)).cast(pl.Float64, strict=False) for name in found)
    known = frame.select(pixels=width * height, shorter=pl.min_horizontal(width, height)).filter(pl.col("pixels") > 0)
    total.names |= {str(name) for name in found}
    total.sized += len(known)
    served = pl.col("pixels") * SERVED_BYTES_PER_PIXEL
    smaller = pl.col("pixels") * (image_size / pl.col("shorter")) ** 2 * STORED_BYTES_PER_PIXEL
    kept = (pl.col("shorter") <= image_size) | pl.lit(image_size == 0)
    sums = known.select(served=served.sum(), stored=pl.when(kept).then(served).otherwise(smaller).sum()).row(0)
    total.served, total.stored = total.served + sums[0], total.stored + sums[1]


def _column(frame: pl.DataFrame, names: tuple[str, ...]) -> str | None:
    by_lower = {name.lower(): name for name in frame.columns}
    return next((by_lower[name] for name in names if name in by_lower), None)


def _basis(total: _Sum, unsized: int) -> str:
    sized = f"{' × '.join(sorted(total.names))} of {total.sized:,} rows at {SERVED_BYTES_PER_PIXEL * 8:g} bits a pixel"
    average = f"{IMAGE_BYTES / 1000:g} kB for each of {unsized:,} images (img2dataset's average)"
    return " and ".join([sized] * bool(total.sized) + [average] * bool(unsized or not total.sized))


def print_dry_run(found: DryRun, *, as_json: bool) -> None:
    """Say it on standard output, in a few lines or as one JSON object."""
    if as_json:
        json.dump(asdict(found), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_row("data set", found.dataset)
    table.add_row("layout", found.layout)
    table.add_row("shards", f"{found.shards:,} in {found.files:,} files of {_size(found.bytes)}")
    if found.download is not None:
        plan = found.download
        rows = (
            f"{plan.rows:,} = {plan.wanted:,} to download + {plan.set_aside:,} set aside + {plan.unusable:,} unusable"
        )
        table.add_row("rows", rows)
        table.add_row("to fetch", f"roughly {_size(plan.download_bytes)}, if every address still answers")
        table.add_row("to store", f"roughly {_size(plan.store_bytes)}")
        table.add_row("based on", plan.basis)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(table)
    console.print("\nA dry run: nothing was written, and no image was asked for.")


def _size(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1000 and unit < 5:
        size, unit = size / 1000, unit + 1
    return f"{count} bytes" if unit == 0 else f"{size:.3g} {('kB', 'MB', 'GB', 'TB', 'PB')[unit - 1]}"
