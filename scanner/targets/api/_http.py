"""One exchange over HTTP by the standard library, bounded in time and size.

A request with a key is never redirected: the key would go wherever an answer says. An image's own address is followed
to http and https alone, so that no answer makes the scanner read a file of this machine.

    >>> post("https://api.openai.com/v1/images/generations", b"{}", {}, timeout=60).status      # doctest: +SKIP
    401
"""

import http.client
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

MOST_BYTES = 128 << 20
"""Bytes of an answer above which it is no answer: ten times a 4096 × 4096 PNG in base64 is less."""
MOST_REDIRECTS = 5
"""Redirects of an image's address that are followed."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a server answered."""

    status: int
    """HTTP status."""
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes
    """The whole of it."""


class Unreachable(Exception):
    """No whole answer came; `reason` says why: timeout, refused, unknown_host, certificate, too_large, broken."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float) -> Reply:
    """Send `body`; a redirect is an answer like another. Raises Unreachable."""
    return _exchange(urllib.request.Request(url, body, dict(headers), method="POST"), timeout)  # noqa: S310 - checked


def get(url: str, *, timeout: float) -> Reply:
    """Fetch an image from where an API says it lies, without any key. Raises Unreachable."""
    for _ in range(MOST_REDIRECTS + 1):
        if urlsplit(url).scheme not in ("http", "https"):
            raise Unreachable("broken")
        reply = _exchange(urllib.request.Request(url), timeout)  # noqa: S310 - checked above
        if reply.status not in (301, 302, 303, 307, 308) or "location" not in reply.headers:
            return reply
        url = urljoin(url, reply.headers["location"])
    raise Unreachable("broken")


def _opener() -> urllib.request.OpenerDirector:
    """Of http and https, by way of the environment's proxies; without redirects, files and FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _exchange(request: urllib.request.Request, timeout: float) -> Reply:
    deadline = time.monotonic() + timeout
    try:
        try:
            response = _opener().open(request, timeout=timeout)
        except urllib.error.HTTPError as error:  # any status but 2xx
            response = error
        with response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Reply(status=response.status, headers=headers, body=_read(response, deadline))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(_reason(error)) from None  # the cause's text may hold what was sent


def _read(response: Any, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := response.read1(1 << 16):
        parts.append(part)
        if time.monotonic() > deadline:
            raise TimeoutError
        size += len(part)
        if size > MOST_BYTES:
            raise Unreachable("too_large")
    if response.length:  # bytes that were announced and did not come
        raise Unreachable("broken")
    return b"".join(parts)


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    kinds = {
        TimeoutError: "timeout",
        ConnectionRefusedError: "refused",
        socket.gaierror: "unknown_host",
        ssl.SSLCertVerificationError: "certificate",
    }
    return next((reason for kind, reason in kinds.items() if isinstance(cause, kind)), "broken")
