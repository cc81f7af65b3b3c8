"""Look at a path and say which data set is there.

A layout is recognised by what lies there, the most telling first; `Options.layout` overrides it. Each layout is one
entry of `_FINDERS`: a function that opens the data set, or gives None where there is no such data set.

    >>> open_dataset("laion/{00000..00099}.tar", Options(limit=1000)).layout    # doctest: +SKIP
    'webdataset'
"""

import os
from collections.abc import Callable, Mapping, Sequence

from scanner.errors import ScannerError, UnusableInputError
from scanner.samples._columns import Columns
from scanner.samples._folder import open_folders
from scanner.samples._options import Options
from scanner.samples._place import Place, common_root, expand
from scanner.samples._sample import Dataset
from scanner.samples._select import Selected
from scanner.samples._sidecar import IMAGE_SUFFIXES
from scanner.samples._webdataset import open_webdataset

Finder = Callable[[Place, Sequence[Place], Columns], Dataset | None]
"""Opens what a folder holds, or the files that were named: the root, the named files (none where a folder was named),
the columns that the user named. None where it is not of this layout."""


def open_dataset(path: str | os.PathLike[str], options: Options | None = None) -> Dataset:
    """The data set at `path`: a folder, a file, a pattern with wildcards or brace ranges, or an fsspec address.

    Raises UnusableInputError when nothing is found there that can be read, or the options do not fit it.
    """
    options = options or Options()
    try:
        return Selected(_find(os.fspath(path), options), options)
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


def _find(path: str, options: Options) -> Dataset:
    places = expand(path)
    missing = next((where for where in places if not where.exists()), None)
    if missing is not None:
        raise UnusableInputError(f"{missing} does not exist; name {_WHAT}.")
    folder = places[0] if len(places) == 1 and places[0].is_dir() else None
    root, files = (folder, ()) if folder is not None else (common_root(places), tuple(places))
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
    tars = files or sorted(
        (path for path in root.glob("*.tar") if path.is_file() and not path.name.startswith(".")), key=str
    )
    return open_webdataset(root, tars, columns) if tars else None


def _folder(root: Place, files: Sequence[Place], columns: Columns) -> Dataset | None:
    found = None if files else open_folders(root, columns)
    return found if found is not None and found.shards else None


_FINDERS: Mapping[str, Finder] = {"webdataset": _webdataset, "folder": _folder}
LAYOUTS = tuple(_FINDERS)
"""Names of the layouts, in the order in which they are looked for."""

_LOOKED_FOR: Mapping[str, str] = {
    "webdataset": "webdataset shards (*.tar)",
    "folder": f"images at any depth ({' '.join(f'.{suffix}' for suffix in sorted(IMAGE_SUFFIXES))})",
}
_WHAT = "a folder of webdataset tars or of images, or a pattern of tars"
