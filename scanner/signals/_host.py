"""The host of a picture's url.

>>> host_of("https://Upload.Wikimedia.org:443/a.jpg")
'upload.wikimedia.org'
"""

from urllib.parse import urlsplit

from scanner.signals._signal import Signal, said


def host_of(url: str | None) -> str | None:
    """In small letters, without user and port; None where the url names none. `www.` stays: it may be another's."""
    if not url:
        return None
    try:
        return urlsplit(url[:4000].strip()).hostname or None
    except ValueError:
        return None


def of_url(url: str | None) -> Signal | None:
    """The host as a signal."""
    return said("host", "url", host_of(url))
