"""A web of images on the loopback: good ones, and every way in which a download goes wrong.

with image_server() as server:
    server.url("good/3.jpg"), server.asked
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.samples.pictures import JUNK_HTML, encode, photo_like

SLOW_SECONDS = 3.0


def picture(path: str) -> bytes:
    """The file under a good address: `good/3.jpg`, `good/3.png`, `wide/3.jpg` (900 × 600)."""
    kind, _, name = path.partition("/")
    seed, _, ending = name.partition(".")
    pixels = photo_like(int(seed), 600, 900) if kind == "wide" else photo_like(int(seed), 60, 80)
    return encode(pixels, "JPEG" if ending == "jpg" else "PNG")


@dataclass
class ImageServer:
    """What is served, and what was asked for."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    """Paths of all requests, in order."""
    slowly: threading.Event = field(default_factory=threading.Event)
    """While it is set, every answer waits a little."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    images: ImageServer

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.images.asked.append(path)
        if self.images.slowly.is_set():
            time.sleep(0.3)
        kind = path.partition("/")[0]
        try:
            getattr(self, f"_{kind}", self._missing)(path)
        except (BrokenPipeError, ConnectionResetError):  # the client has waited long enough
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _answer(self, body: bytes, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _missing(self, _: str) -> None:
        self._answer(b"no such thing", 404)

    def _good(self, path: str) -> None:
        self._answer(picture(path), Content_Type="image/jpeg")

    _wide = _good

    def _broken(self, _: str) -> None:
        self._answer(b"out of order", 500)

    def _once(self, path: str) -> None:
        """An error the first time, then an image."""
        first = self.images.asked.count(path) == 1
        self._answer(b"busy", 503) if first else self._answer(picture(path))

    def _slow(self, path: str) -> None:
        time.sleep(SLOW_SECONDS)
        self._answer(picture(path))

    def _cut(self, path: str) -> None:
        body = picture(path)
        self._answer(body[: len(body) // 2], length=len(body))

    def _page(self, _: str) -> None:
        self._answer(JUNK_HTML, Content_Type="text/html")

    def _noai(self, path: str) -> None:
        self._answer(picture(path), X_Robots_Tag="noai")

    def _moved(self, _: str) -> None:
        self._answer(b"", 302, Location="file:///etc/hostname")


@contextmanager
def image_server() -> Iterator[ImageServer]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    images = ImageServer()
    handler = type("Handler", (_Handler,), {"images": images})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        images.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield images
        server.shutdown()
        thread.join()
