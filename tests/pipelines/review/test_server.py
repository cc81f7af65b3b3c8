"""The server answers its own page and nobody else."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.review import serve
from pipelines.review._server import ReviewServer
from scanner.errors import ScannerError
from scanner.review import read_decisions
from scanner.run import Run
from scanner.tables import REVIEWS
from tests.pipelines.review.serving import desk_of, serving
from tests.review.planted import make_reviewed_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_reviewed_run(tmp_path)


@pytest.fixture
def server(run: Run) -> Iterator[ReviewServer]:
    with serving(desk_of(run)) as running:
        yield running


def ask(server: ReviewServer, path: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
    """An answer, read; `path` is below the page's address unless it begins with a slash."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    if content is not None:
        told.setdefault("Content-Type", "application/json")
    where = path if path.startswith("/") else f"/{server.token}/{path}"
    connection.request("GET" if content is None else "POST", where, content, told)
    answer = connection.getresponse()
    answer.content = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def decision(server: ReviewServer, **more: Any) -> dict[str, Any]:
    return {"item": server.desk.items["item"][0], "decision": "accepted", "note": None} | more


def test_the_page_runs_its_own_script_alone(server: ReviewServer) -> None:
    answer = ask(server, "")
    assert answer.status == 200
    assert answer.getheader("Content-Type") == "text/html; charset=utf-8"
    policy = str(answer.getheader("Content-Security-Policy"))
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("Access-Control-Allow-Origin") is None


def test_a_decision_that_is_posted_is_kept(server: ReviewServer, run: Run) -> None:
    answer = ask(server, "decide", decision(server, note="the same"))
    assert json.loads(answer.content)["mine"]["decision"] == "accepted"
    assert read_decisions(run.path).select("reviewer", "decision", "note").rows() == [("ada", "accepted", "the same")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example:80"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_pages_of_others_are_refused(server: ReviewServer, run: Run, headers: dict[str, str]) -> None:
    assert ask(server, "state", **headers).status == 403
    assert ask(server, "decide", decision(server), **headers).status == 403
    assert read_decisions(run.path).is_empty()


def test_without_the_token_there_is_nothing(server: ReviewServer, run: Run) -> None:
    for path in ("/", "/state", "/page.js", f"/{server.token[:-1]}/state", "/%C3%A9/state"):
        assert ask(server, path).status == 403
    assert ask(server, "/decide", decision(server)).status == 403
    assert read_decisions(run.path).is_empty()


@pytest.mark.parametrize("path", ["../run.json", "%2e%2e/run.json", "page.html", "picture/../../run.json", "item"])
def test_there_are_no_other_files(server: ReviewServer, path: str) -> None:
    answer = ask(server, path)
    assert answer.status in (400, 404)
    assert b"dataset" not in answer.content  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"item=x&decision=accepted", {"Content_Type": "application/x-www-form-urlencoded"}, 404),
        (b'{"item": "x"', {}, 400),
        (b"[]", {}, 400),
        (b'{"item": 7, "decision": "accepted"}', {}, 400),
        ({"item": "0" * 32, "decision": "accepted"}, {}, 404),
        (b"x" * (65 << 10), {}, 413),
    ],
)
def test_what_is_no_decision_is_refused(
    server: ReviewServer, run: Run, body: Any, headers: dict[str, str], status: int
) -> None:
    assert ask(server, "decide", body, **headers).status == status
    assert read_decisions(run.path).is_empty()


def test_an_unknown_answer_and_too_long_a_note_are_refused(server: ReviewServer, run: Run) -> None:
    assert ask(server, "decide", decision(server, decision="perhaps")).status == 400
    assert ask(server, "decide", decision(server, note="n" * 2001)).status == 400
    assert read_decisions(run.path).is_empty()


def test_a_full_disk_is_said_and_the_decision_does_not_hold(server: ReviewServer, run: Run) -> None:
    folder = run.path / REVIEWS.path
    folder.rmdir()
    Path(str(folder)).write_text("in the way")
    answer = ask(server, "decide", decision(server))
    assert answer.status == 507
    assert "nothing was kept" in json.loads(answer.content)["error"]
    assert not server.desk.journal.mine()


def test_pictures_are_encoded_anew(server: ReviewServer) -> None:
    row = server.desk.items.row(0, named=True)
    for name in ("compared", "original", f"made/{row['image_index']}", f"difference/{row['image_index']}?mirrored=1"):
        answer = ask(server, f"picture/{row['item']}/{name}")
        assert (answer.status, answer.getheader("Content-Type")) == (200, "image/png")
        assert answer.content.startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert ask(server, f"picture/{row['item']}/made/x").status == 400


def test_only_this_machine_can_reach_it(server: ReviewServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.url.startswith(f"http://127.0.0.1:{server.server_port}/")
    assert len(server.token) >= 32


def test_a_port_that_is_taken_is_said(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ScannerError, match=f"Port {port} can't be had"), serve(desk_of(run), port):
            pass
