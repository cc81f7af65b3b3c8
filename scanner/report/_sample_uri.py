"""Where a sample lies, as a URI reference that may stand in a file which other programs open.

The sample's own address where that is a web address (http or https, no user name, nothing invisible), as an
internationalised address is written in a URI; otherwise `shard/key`, relative to the data set. Both are strangers'
text: whatever RFC 3986 does not allow in a path is written in per cent, so that no scheme, host or parent folder can
come of a shard's or a key's name.

    >>> relative("../shards", "javascript:alert(1)")
    '%2E%2E/shards/javascript%3Aalert%281%29'
"""

from urllib.parse import quote

from scanner.report._records import SampleRef
from scanner.report._show import web_link

_IN_ADDRESSES = "%:/?#@!$&'()*+,;=~"
"""What path, query and fragment of a URI are made of beside letters and digits."""


def sample_uri(sample: SampleRef) -> tuple[str, bool]:
    """The URI, and whether it is relative to the data set."""
    link = web_link(sample.url)
    return (relative(sample.shard, sample.key), True) if link is None else (_ascii(link), False)


def relative(shard: str, key: str) -> str:
    """`shard/key`, each part of it written so that it is a path below the data set and nothing else."""
    parts = [part for name in (shard, key) for part in name.split("/") if part]
    return "/".join(part.replace(".", "%2E") if part in (".", "..") else quote(part, safe="") for part in parts)


def _ascii(link: str) -> str:
    """An address as a URI: a host in another script by its IDNA name, all else in UTF-8 and per cent."""
    head, slashes, rest = link.partition("://")
    end = min((rest.index(mark) for mark in "/?#" if mark in rest), default=len(rest))
    host = rest[:end]
    return f"{head}{slashes}{_host(host)}{quote(rest[end:], safe=_IN_ADDRESSES)}"


def _host(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return quote(host, safe=":[]")
