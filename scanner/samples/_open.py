"""Look at a path and say which data set is there.

A layout is recognised by what lies there, the most telling first; `Options.layout` overrides it. Each layout is one
entry of `_FINDERS`: a function that opens the data set, or gives None where there is no such data set.

    >>> open_dataset("laion/{00000..00099}.tar", Options(limit=1000)).layout    # doctest: +SKIP
    'webdataset'
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from scanner.errors import ScannerError, UnusableInputError
from scanner.samples._arrow import arrow_files, open_arrow
from scanner.samples._columns import Columns
from scanner.samples._embeddings import EmbeddingSet, open_clip_retrieval, open_datacomp
from scanner.samples._folder import holds_image, open_folders
from scanner.samples._options import Options
from scanner.samples._parquet import open_parquet, parquet_files, why_no_images
from scanner.samples._place import Place, common_root, expand, is_hidden, relative, why_missing
from scanner.samples._sample import Dataset
from scanner.samples._select import Selected
from scanner.samples._sidecar import IMAGE_SUFFIXES
from scanner.samples._webdataset import open_webdataset
from scanner.samples.urls import UrlList, check_options, find_url_list

Finder = Callable[[Place, Sequence[Place], Columns], Dataset | None]
"""Opens what a folder holds, or the files that were named: the root, the named files (none where a folder was named),
the columns that the user named. None where it is not of this layout."""


def open_dataset(path: str | os.PathLike[str], options: Options | None = None) -> Dataset:
    """The data set at `path`: a folder, a file, a pattern with wildcards or brace ranges, or an fsspec address.

    Raises UnusableInputError when nothing is found there that can be read, or the options do not fit it.
    """
    options = options or Options()
    with _errors_of(path):
        return Selected(_find(os.fspath(path), options), options)


def open_url_list(path: str | os.PathLike[str], options: Options | None = None) -> UrlList | None:
    """The list of URLs at `path`, whose images are to be downloaded; None where there is none, or nothing at all.

    Raises UnusableInputError when the options do not fit it.
    """
    options = options or Options()
    if options.layout not in (None, "urls"):
        return None
    with _errors_of(path):
        places = expand(os.fspath(path))
        if not all(where.exists() for where in places):
            return None
        found = find_url_list(*_split(places), options.columns, forced=options.layout == "urls")
        if found is not None:
            check_options(found, options)
        return found


def open_embeddings(path: str | os.PathLike[str], columns: Columns | None = None) -> EmbeddingSet:
    """The embeddings at `path`, in clip-retrieval's or DataComp's layout.

    Raises UnusableInputError when there are none, or their files do not belong together.
    """
    with _errors_of(path):
        root, files = _split(_places(os.fspath(path)))
        for finder in (open_clip_retrieval, open_datacomp):
            found = finder(root, files, columns or Columns())
            if found is not None:
                return found
    looked_for = " or ".join(_LOOKED_FOR[name] for name in ("clip-retrieval", "datacomp"))
    raise UnusableInputError(f"{path} holds no embeddings; looked for {looked_for}.")


@contextmanager
def _errors_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """What goes wrong in opening the data set at `path` is said in one sentence."""
    try:
        yield
    except OSError as error:
        said = error.strerror or " ".join(str(error).split()) or type(error).__name__
        raise UnusableInputError(f"{error.filename or path} can't be read ({said}).") from error
    except (ScannerError, AssertionError):
        raise
    except Exception as error:
        if "://" not in os.fspath(path):
            raise
        # every store has errors of its own: no credentials, no such bucket, no route
        said = " ".join(str(error).split())
        raise UnusableInputError(f"{path} can't be read ({type(error).__name__}: {said}).") from error


def _split(places: Sequence[Place]) -> tuple[Place, Sequence[Place]]:
    """The folder that was named and no files, or the files that were named and the folder that holds them."""
    folder = places[0] if len(places) == 1 and places[0].is_dir() else None
    return (folder, ()) if folder is not None else (common_root(places), tuple(places))


def _places(path: str) -> Sequence[Place]:
    places = expand(path)
    missing = next((where for where in places if not where.exists()), None)
    if missing is not None:
        raise UnusableInputError(f"{missing} does not exist{why_missing(missing)}; name {_WHAT}.")
    return places


def _find(path: str, options: Options) -> Dataset:
    root, files = _split(_places(path))
    if options.layout not in (None, *_FINDERS):
        raise UnusableInputError(f"There is no layout '{options.layout}'; use one of {' '.join(_FINDERS)}.")
    finders = _FINDERS if options.layout is None else {options.layout: _FINDERS[options.layout]}
    for finder in finders.values():
        found = finder(root, files, options.columns)
        if found is not None:
            return found
    looked_for = ", ".join(_LOOKED_FOR[name] for name in finders)
    raise UnusableInputError(f"{path} holds no data set; looked for {looked_for}.")


def _webdataset(root: Place, files: Sequence[Place], columns: Columns) -> Dataset | None:
    if any(file.suffix != ".tar" for file in files):
        return None
    tars = files or _tars(root, "*.tar")
    if not tars and not holds_image(root):  # a folder of images may have some tar or other below it
        tars = _tars(root, "**/*.tar")
    return open_webdataset(root, tars, columns) if tars else None


def _tars(root: Place, pattern: str) -> Sequence[Place]:
    found = (path for path in root.glob(pattern) if not is_hidden(relative(path, root)) and path.is_file())
    return sorted(found, key=str)


def _arrow(root: Place, files: Sequence[Place], columns: Columns) -> Dataset | None:
    if any(file.suffix != ".arrow" for file in files):
        return None
    streams = files or arrow_files(root)
    return open_arrow(root, streams, columns) if streams else None


def _parquet(root: Place, files: Sequence[Place], columns: Columns) -> Dataset | None:
    if any(file.suffix != ".parquet" for file in files):
        return None
    tables = files or parquet_files(root)
    found = open_parquet(root, tables, columns) if tables else None
    if found is None and tables and (files or not holds_image(root)):
        reason = why_no_images(root, tables, columns)
        if reason is not None:
            raise reason
    return found


def _folder(root: Place, files: Sequence[Place], columns: Columns) -> Dataset | None:
    found = None if files else open_folders(root, columns)
    return found if found is not None and found.shards else None


def _urls(root: Place, files: Sequence[Place], columns: Columns) -> Dataset | None:
    found = find_url_list(root, files, columns)
    if found is None:
        return None
    raise UnusableInputError(
        f"{found.name} is a list of URLs, without images; `scanner audit` downloads them, and what it downloaded is "
        "then in the run's folder download."
    )


_FINDERS: Mapping[str, Finder] = {
    "webdataset": _webdataset,
    "clip-retrieval": open_clip_retrieval,
    "datacomp": open_datacomp,
    "arrow": _arrow,
    "parquet": _parquet,
    "folder": _folder,
    "urls": _urls,
}
LAYOUTS = tuple(_FINDERS)
"""Names of the layouts, in the order in which they are looked for."""

_LOOKED_FOR: Mapping[str, str] = {
    "webdataset": "webdataset shards (*.tar)",
    "clip-retrieval": "clip-retrieval's output (img_emb/img_emb_*.npy with metadata/metadata_*.parquet)",
    "datacomp": "DataComp's metadata (*.npz beside *.parquet)",
    "arrow": "what datasets saved to disk (state.json, dataset_dict.json)",
    "parquet": "parquet files with an image column (*.parquet at any depth)",
    "folder": f"images at any depth ({' '.join(f'.{suffix}' for suffix in sorted(IMAGE_SUFFIXES))})",
    "urls": "lists of URLs (a column url in *.parquet, *.csv, *.tsv or *.jsonl)",
}
_WHAT = "a folder of webdataset tars, parquet files, images or embeddings, or a pattern of such files"
