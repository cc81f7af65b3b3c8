"""How the report's page looks; apart from the configuration, so that a report can be made again in another way."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PageOptions:
    """What the page of a report does with its pictures."""

    blur: bool = False
    """Open the report's page with all pictures blurred: each is shown by a button beside it, and one button shows all
    of which the data do not say faces, a named person or NSFW. Of most pictures nothing is known, so none is left out.
    The file holds the pictures as they are, and a report that is written again without it is not blurred."""
