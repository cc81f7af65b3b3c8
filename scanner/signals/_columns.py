"""What the columns of a data set say, found by the names that published sets give them.

LAION (LICENSE, NSFW, punsafe, pwatermark), img2dataset (exif), DataComp (face_bboxes), COYO (num_faces, nsfw_score_*,
watermark_score), Open Images (License, Author, AuthorProfileURL), Wikimedia Commons (LicenseShortName, UsageTerms,
Artist, Credit, ...), YFCC100M (licensename, usernickname), Data-Juicer (face_detections, image_nsfw_score), and plain
names that say the same. Conceptual Captions has none of them.

    >>> [one.value for one in of_columns({"LICENSE": "CC0", "face_bboxes": [[0, 0, 0.5, 1]], "url": "..."})]
    ['CC0', '1']
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from scanner.signals._signal import MOST_DETAIL, Signal, said

_NAMES = {
    "licence": "license licence license_name licensename license_short_name license_url licence_url license_id",
    "copyright": "copyright copyright_notice copyrighted rights",
    "creator": "author creator artist photographer author_profile_url user_nickname owner_name",
    "credit": "credit credit_line attribution attribution_required",
    "terms": "usage_terms restrictions permission web_statement rights_usage_terms",
    "opt_out": "opt_out optout opted_out ai_opt_out spawning_opt_out noai no_ai x_robots_tag tdm_reservation",
    "watermark": "pwatermark watermark_score",
    "nsfw": "nsfw punsafe nsfw_score image_nsfw_score nsfw_score_opennsfw2 nsfw_score_gantman",
    "faces": "face_bboxes num_faces face_count face_counts face_detections faces",
}
_KIND_OF = {name.replace("_", ""): kind for kind, names in _NAMES.items() for name in names.split()}
_OF_EXIF = {
    "Image Artist": "creator",
    "Image Copyright": "copyright",
    "Image ImageDescription": "description",
    "EXIF CameraOwnerName": "creator",
}
"""The tags of img2dataset's `exif` (JSON, as exifread names them) that are signals."""
_MOST_JSON = 1 << 20
"""Characters of a text that is parsed as JSON: img2dataset's exif of a hostile file has no bound."""


def of_columns(fields: Mapping[str, Any]) -> Iterator[Signal]:
    """The signals in a row's fields, by column; nothing in them raises."""
    for name, value in fields.items():
        if value is None:
            continue
        source, plain = f"column {name[:60]}", re.sub(r"[^a-z0-9]", "", name.lower())
        if plain == "exif":
            yield from _of_exif(source, value)
            continue
        kind = _KIND_OF.get(plain)
        found = None
        if kind == "faces":
            found = _faces(source, value)
        elif kind is not None:
            found = said(kind, source, _flat(value))
        if found is not None:
            yield found


def _flat(value: Any) -> Any:
    """Several values as one text."""
    if isinstance(value, list | tuple):
        return "; ".join(str(one) for one in value[:20])
    return json.dumps(value, default=str) if isinstance(value, Mapping) else value


def _faces(source: str, value: Any) -> Signal | None:
    """Their number, and the boxes as they stand there: fractions or pixels, as the data set has it."""
    boxes = _parsed(value) if isinstance(value, str) else value
    boxes = boxes.tolist() if hasattr(boxes, "tolist") else boxes
    if isinstance(boxes, bool | int | float):
        whole = boxes == boxes and abs(boxes) < 1e6  # noqa: PLR0124 - NaN
        return said("faces", source, int(boxes)) if whole else None
    if isinstance(boxes, list | tuple):
        detail = json.dumps(boxes, default=str) if 0 < len(boxes) <= MOST_DETAIL // 8 else None
        return said("faces", source, len(boxes), detail)
    return said("faces", source, value)


def _of_exif(source: str, value: Any) -> Iterator[Signal]:
    tags = _parsed(value) if isinstance(value, str) else value
    if not isinstance(tags, Mapping):
        yield _fault(source, "it is no JSON object" if isinstance(value, str) else "it is no text")
        return
    for tag, kind in _OF_EXIF.items():
        found = said(kind, f"{source}: {tag}", tags.get(tag))
        if found is not None:
            yield found


def _fault(source: str, why: str) -> Signal:
    return Signal(kind="fault", source=source, value=why)


def _parsed(text: str) -> Any:
    """The text as JSON; itself where it is none."""
    if len(text) > _MOST_JSON:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
