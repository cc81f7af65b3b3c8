"""Open what an audit is given: a data set, or a list of URLs whose images are still to be downloaded.

found = open_input("laion2B-en/", options_of(config))
"""

from pathlib import Path

from pipelines.configs import AuditConfig
from scanner.samples import Columns, Dataset, Options, UrlList, open_dataset, open_url_list


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


def open_input(dataset: str | Path, options: Options) -> Dataset | UrlList:
    """What is there. Raises UnusableInputError when it is neither, or the options do not fit it."""
    return open_url_list(dataset, options) or open_dataset(dataset, options)
