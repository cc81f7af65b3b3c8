"""Open what an audit is given: a data set, or a list of URLs whose images are still to be downloaded.

found = open_input("laion2B-en/", options_of(config))
"""

from pathlib import Path

from pipelines.configs import AuditConfig
from scanner.errors import UnusableInputError
from scanner.samples import Columns, Dataset, Options, UrlList, open_dataset, open_url_list

_NOT_SEARCHED = ("webdataset", "clip-retrieval")
"""Layouts that a run's own files are not taken for, wherever it lies."""


def options_of(config: AuditConfig) -> Options:
    """How the data set is to be read."""
    columns = Columns(
        caption=config.caption_column,
        url=config.url_column,
        key=config.key_column,
        image=config.image_column,
        embedding=config.embedding_column,
    )
    return Options(
        layout=config.layout,
        columns=columns,
        where=config.where,
        sample=config.sample,
        carry=config.carry,
        limit=config.limit,
    )


def refuse_inside(out: Path, dataset: str | Path, found: Dataset | UrlList) -> None:
    """Raises UnusableInputError when the run would lie in the folder that is searched for data, and so be read too."""
    searched = Path(dataset).absolute()
    if found.layout not in _NOT_SEARCHED and searched.is_dir() and out.absolute().is_relative_to(searched):
        raise UnusableInputError(f"{out} lies inside the data set {dataset}; name a directory elsewhere for the run.")


def open_input(dataset: str | Path, options: Options) -> Dataset | UrlList:
    """What is there. Raises UnusableInputError when it is neither, or the options do not fit it."""
    return open_url_list(dataset, options) or open_dataset(dataset, options)
