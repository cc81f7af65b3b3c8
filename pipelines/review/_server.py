"""The page's server: on 127.0.0.1 alone, under an address that nobody can guess.

What it is guarded against: other pages in the same browser (a token in the address, the Origin of what is posted, no
CORS), names that are made to point here (the Host header, against DNS rebinding), and text of strangers in the data set
(a content security policy that runs the page's own script only; captions are set as text, pictures are encoded anew).

    >>> with serve(desk, port=0) as server: webbrowser.open(server.url)          # doctest: +SKIP
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from pipelines.review._desk import Desk, UnknownError
from scanner.errors import ScannerError

HOST = "127.0.0.1"
LONGEST_BODY = 64 << 10
"""Bytes of a posted decision."""
IDLE_SECONDS = 60
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
FILES = {
    "": ("page.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}
"""The page's own files, by the last part of their address."""


class ReviewServer(ThreadingHTTPServer):
    """A desk behind a port of this machine; `serve_forever` until `shutdown`."""

    daemon_threads = True

    def __init__(self, desk: Desk, port: int) -> None:
        """Raises ScannerError when the port is taken."""
        self.desk, self.token = desk, secrets.token_urlsafe(24)
        self.files = {name: (_packaged(file), kind) for name, (file, kind) in FILES.items()}
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise ScannerError(
                f"Port {port} can't be had ({error}); give another, or 0 for any that is free."
            ) from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no error."""


@contextmanager
def serve(desk: Desk, port: int) -> Iterator[ReviewServer]:
    """A server that listens; whoever has it calls `serve_forever`. Closed at the end."""
    server = ReviewServer(desk, port)
    try:
        yield server
    finally:
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "scanner", ""
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        """The page, its files, items and pictures."""
        self._answer(posted=None)

    def do_POST(self) -> None:
        """A decision."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True
            self._json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "That is too long for a decision."})
            return
        self._answer(posted=self.rfile.read(int(length)))

    def _answer(self, posted: bytes | None) -> None:
        parts = urlsplit(self.path)
        token, _, rest = parts.path.lstrip("/").partition("/")
        if not self._is_ours() or not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self._json(HTTPStatus.FORBIDDEN, {"error": "Open the address that scanner review has printed."})
            return
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            if posted is not None:
                self._post(rest, posted)
            elif rest in self.server.files:
                content, kind = self.server.files[rest]
                self._send(HTTPStatus.OK, content, f"{kind}; charset=utf-8")
            elif rest.startswith("picture/"):
                self._picture(rest.split("/")[1:], asked)
            else:
                self._json(HTTPStatus.OK, self._get(rest, asked))
        except UnknownError as error:
            self._json(HTTPStatus.NOT_FOUND, {"error": str(error)})
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            self._json(HTTPStatus.BAD_REQUEST, {"error": "That can't be answered; load the page again."})
        except ScannerError as error:
            self._json(HTTPStatus.CONFLICT, {"error": str(error)})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except OSError as error:
            said = f"The run can't be read or written ({error.strerror}); nothing was kept of this."
            self._json(HTTPStatus.INSUFFICIENT_STORAGE, {"error": said})
        except Exception as error:  # the page must say so; a dropped connection would look like the review's end
            said = f"An error that should not happen, {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            self._json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": said})

    def _is_ours(self) -> bool:
        """Asked under our own name, and by our own page where the browser says by whom."""
        port = self.server.server_port
        hosts = {f"{HOST}:{port}", f"localhost:{port}"}
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site", "none")
        if self.headers.get("Host") not in hosts or site not in ("none", "same-origin"):
            return False
        return origin is None or origin in {f"http://{host}" for host in hosts}

    def _get(self, name: str, asked: dict[str, str]) -> Any:
        desk = self.server.desk
        if name == "state":
            return desk.state()
        if name == "review":
            return asdict(desk.review())
        if name == "queue":
            return desk.queue(asked["show"], asked["state"], asked.get("include"))
        if name == "item":
            return desk.item(asked["queue"], int(asked["n"]))
        raise UnknownError("There is nothing under this address.")

    def _post(self, name: str, posted: bytes) -> None:
        if name != "decide" or self.headers.get_content_type() != "application/json":
            raise UnknownError("Nothing can be posted here.")
        said = json.loads(posted)
        if not isinstance(said, dict):
            raise TypeError("A decision is an object.")
        note = said.get("note")
        if not all(isinstance(one, str) for one in (said["item"], said["decision"], note or "")):
            raise ValueError("A decision is made of texts.")
        self._json(HTTPStatus.OK, self.server.desk.decide(said["item"], said["decision"], note))

    def _picture(self, path: list[str], asked: dict[str, str]) -> None:
        item, name, *number = path
        found = self.server.desk.picture(item, name, int(number[0]) if number else None, asked.get("mirrored") == "1")
        told = {"X-State": found.state, "X-Sentence": quote(found.sentence)}
        if found.content is None:
            self._send(HTTPStatus.OK, b"", "text/plain", told)
        else:
            self._send(HTTPStatus.OK, found.content, "image/png", told)

    def _json(self, status: HTTPStatus, content: Any) -> None:
        self._send(status, json.dumps(content, ensure_ascii=False).encode(), "application/json; charset=utf-8")

    def _send(self, status: HTTPStatus, content: bytes, kind: str, told: dict[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        for name, value in (headers | (told or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal is the reviewer's."""


def _packaged(name: str) -> bytes:
    return resources.files(__package__ or "").joinpath(name).read_bytes()
