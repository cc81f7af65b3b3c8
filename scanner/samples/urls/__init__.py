"""Lists of URLs: found, read in batches, chosen from, put together in chunks, and read again once downloaded.

>>> urls = open_url_list("laion2B-en/", Options(where="punsafe < 0.1"))          # doctest: +SKIP
>>> for chunk in choose(urls, options, 10_000): ...                              # doctest: +SKIP
"""

from scanner.samples.urls._choose import check_options, judge
from scanner.samples.urls._chunks import choose
from scanner.samples.urls._downloaded import PLAN, Downloaded, DownloadFolder, open_downloaded
from scanner.samples.urls._find import UrlList, find_url_list

__all__ = [
    "PLAN",
    "DownloadFolder",
    "Downloaded",
    "UrlList",
    "check_options",
    "choose",
    "find_url_list",
    "judge",
    "open_downloaded",
]
