"""The review: a page on this machine to look at hits and groups with, and what was decided, in figures.

>>> with serve(desk, port=0) as server: print(server.url)                    # doctest: +SKIP
"""

from pipelines.review._desk import Desk
from pipelines.review._recipe import review
from pipelines.review._server import serve

__all__ = ["Desk", "review", "serve"]
