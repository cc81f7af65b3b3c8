"""A review that runs in a thread of the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from pipelines.review import Desk, serve
from pipelines.review._server import ReviewServer
from scanner.review import Journal, MadeImages, list_items
from scanner.run import Run


def desk_of(run: Run, reviewer: str = "ada") -> Desk:
    made = MadeImages(run)
    return Desk(run, Journal(run.path, reviewer), list_items(run, made), made)


@contextmanager
def serving(desk: Desk) -> Iterator[ReviewServer]:
    with serve(desk, 0) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(10)
            assert not thread.is_alive()
