"""An image API on the loopback: OpenAI's form, and every way in which such an API goes wrong.

The first word of a prompt says how it is answered; any other prompt is drawn.

    with api_server() as server:
        server.url, server.asked, server.headers
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image

from tests.samples.pictures import JUNK_HTML, encode, photo_like

KEY = "sk-test-0123456789"


def picture(number: int) -> bytes:
    return encode(photo_like(number, 64, 64))


@dataclass
class ApiServer:
    """What is served, and what was asked for."""

    draw: Callable[[str, int], bytes | None] = lambda _, number: picture(number)
    """(prompt, how often it was asked before) → an image file, or None for a refusal."""
    port: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of all requests, in order."""
    headers: list[dict[str, str]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    """When each came."""
    fetched: list[str] = field(default_factory=list)
    """Paths of all GETs."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def prompts(self) -> list[str]:
        return [body["prompt"] for body in self.asked]


class _Handler(BaseHTTPRequestHandler):
    api: ApiServer

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.api.lock:
            before = self.api.prompts().count(body["prompt"])
            self.api.asked.append(body)
            self.api.headers.append(dict(self.headers))
            self.api.at.append(time.monotonic())
        if self.path != "/v1/images/generations":
            return self._error(404, "There is nothing here.")
        kind = body["prompt"].split()[0]
        try:
            getattr(self, f"_{kind}", self._drawn)(body, before)
        except (BrokenPipeError, ConnectionResetError):  # the client has waited long enough
            self.close_connection = True
        return None

    def do_GET(self) -> None:
        self.api.fetched.append(self.path)
        self.api.headers.append(dict(self.headers))
        if self.path == "/moved-to-a-file":
            self._answer(b"", 302, Location="file:///etc/hostname")
        elif self.path == "/moved":
            self._answer(b"", 302, Location="/picture/5")
        else:
            self._answer(picture(int(self.path.rpartition("/")[2])))

    def _answer(self, body: bytes, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _json(self, content: Any, status: int = 200, **headers: str) -> None:
        self._answer(json.dumps(content).encode(), status, Content_Type="application/json", **headers)

    def _error(self, status: int, message: str, *, headers: dict[str, str] | None = None, **fields: str) -> None:
        self._json({"error": {"message": message, **fields}}, status, **(headers or {}))

    def _image(self, encoded: bytes, **fields: str) -> None:
        self._json({"created": 1, "data": [{"b64_json": base64.b64encode(encoded).decode(), **fields}]})

    def _drawn(self, body: dict[str, Any], before: int) -> None:
        made = self.api.draw(body["prompt"], before)
        self._refuse(body, before) if made is None else self._image(made)

    # kinds of answers

    def _address(self, body: dict[str, Any], _: int) -> None:
        """The image's address: `address picture/3`, or one outside this server."""
        where = body["prompt"].split()[1]
        where = where if "://" in where else f"http://127.0.0.1:{self.api.port}/{where}"
        self._json({"data": [{"url": where}]})

    def _dataurl(self, _: dict[str, Any], before: int) -> None:
        self._json({"data": [{"url": f"data:image/png;base64,{base64.b64encode(picture(before)).decode()}"}]})

    def _revised(self, _: dict[str, Any], before: int) -> None:
        self._image(picture(before), revised_prompt=f"A fox of many words. It has {KEY} on it.")

    def _gpt(self, body: dict[str, Any], before: int) -> None:
        """As gpt-image models, which take no response_format."""
        if "response_format" in body:
            said = {"type": "invalid_request_error", "param": "response_format", "code": "unknown_parameter"}
            self._error(400, "Unknown parameter: 'response_format'.", **said)
        else:
            self._image(picture(before))

    def _refuse(self, _: dict[str, Any], __: int) -> None:
        said = {"type": "image_generation_user_error", "code": "moderation_blocked"}
        self._error(400, f"Your request was rejected by the\nsafety system ({KEY}). Ask for something else.", **said)

    def _azure(self, _: dict[str, Any], __: int) -> None:
        self._json({"error": {"code": "contentFilter", "message": "Your task failed as a result of it."}}, 400)

    def _legal(self, _: dict[str, Any], __: int) -> None:
        self._json({"detail": "Unavailable for legal reasons"}, 451)

    def _long(self, _: dict[str, Any], __: int) -> None:
        self._error(400, "The text is too long.", param="prompt", code="string_above_max_length")

    def _odd(self, _: dict[str, Any], __: int) -> None:
        self._error(400, "Invalid size 1x1.", param="size")

    def _busy(self, _: dict[str, Any], before: int) -> None:
        """429 twice, then an image."""
        self._error(429, "Too many requests.") if before < 2 else self._image(picture(before))

    def _waits(self, _: dict[str, Any], before: int) -> None:
        """429 with a time to wait, then an image."""
        self._error(429, "Wait.", headers={"Retry_After": "1"}) if before < 1 else self._image(picture(before))

    def _dated(self, _: dict[str, Any], before: int) -> None:
        until = formatdate(time.time() + 2, usegmt=True)
        self._error(503, "Wait.", headers={"Retry_After": until}) if before < 1 else self._image(picture(before))

    def _hours(self, _: dict[str, Any], __: int) -> None:
        self._error(429, "Wait.", headers={"Retry_After": "7200"})

    def _always429(self, _: dict[str, Any], __: int) -> None:
        self._error(429, "Too many requests.")

    def _quota(self, _: dict[str, Any], __: int) -> None:
        self._error(429, "You exceeded your current quota.", type="insufficient_quota", code="insufficient_quota")

    def _once500(self, _: dict[str, Any], before: int) -> None:
        self._answer(b"out of order", 500) if before < 1 else self._image(picture(before))

    def _broken(self, _: dict[str, Any], __: int) -> None:
        self._error(500, "The cards are hot.")

    def _hang(self, _: dict[str, Any], __: int) -> None:
        time.sleep(1.0)
        self._image(picture(0))

    def _drip(self, _: dict[str, Any], __: int) -> None:
        """A byte now and then, so that no single read takes long."""
        self.send_response(200)
        self.end_headers()
        for _byte in range(12):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.1)

    def _cutoff(self, _: dict[str, Any], __: int) -> None:
        self._answer(b'{"data": [', length=1000)

    def _page(self, _: dict[str, Any], __: int) -> None:
        self._answer(JUNK_HTML, Content_Type="text/html; charset=utf-8")

    def _nothing(self, _: dict[str, Any], __: int) -> None:
        self._json({"data": []})

    def _base64(self, _: dict[str, Any], __: int) -> None:
        self._json({"data": [{"b64_json": "no*base64"}]})

    def _empty(self, _: dict[str, Any], __: int) -> None:
        self._json({"data": [{"b64_json": base64.b64encode(b"   ").decode()}]})

    def _svg(self, _: dict[str, Any], __: int) -> None:
        self._image(b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>')

    def _truncated(self, _: dict[str, Any], __: int) -> None:
        self._image(picture(1)[: len(picture(1)) // 2])

    def _unauthorised(self, _: dict[str, Any], __: int) -> None:
        self._error(401, f"Incorrect API key provided: {KEY}.", code="invalid_api_key")

    def _forbidden(self, _: dict[str, Any], __: int) -> None:
        self._error(403, f"The project of {KEY} has no access.")

    def _model(self, body: dict[str, Any], _: int) -> None:
        self._error(404, f"The model '{body['model']}' does not exist.", code="model_not_found")

    def _elsewhere(self, _: dict[str, Any], __: int) -> None:
        self._answer(b"", 307, Location="http://127.0.0.1:9/v1/images/generations")

    def _format(self, body: dict[str, Any], _: int) -> None:
        """The same picture in another format: `format webp`."""
        self._image(in_format(body["prompt"].split()[1]))


def in_format(name: str) -> bytes:
    """Picture 1 as another kind of file than an 8-bit RGB PNG of its size."""
    pixels = photo_like(1, 64, 64)
    made: dict[str, Callable[[], bytes]] = {
        "webp": lambda: encode(pixels, "WEBP", lossless=True),
        "gif": lambda: encode(pixels, "GIF"),
        "palette": lambda: encode(Image.fromarray(pixels).quantize(256)),
        "grey16": lambda: encode(Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257)),
        "rgba": lambda: encode(Image.fromarray(np.dstack([pixels, np.full((64, 64), 255, np.uint8)]))),
        "large": lambda: encode(Image.fromarray(pixels).resize((256, 256), Image.Resampling.LANCZOS)),
        "wide": lambda: encode(np.pad(pixels, ((0, 0), (32, 32), (0, 0)))),
    }
    return made[name]()


@contextmanager
def api_server(draw: Callable[[str, int], bytes | None] | None = None) -> Iterator[ApiServer]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    api = ApiServer() if draw is None else ApiServer(draw=draw)
    handler = type("Handler", (_Handler,), {"api": api})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        api.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield api
        server.shutdown()
        thread.join()
