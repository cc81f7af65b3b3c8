"""What an API's answer says: an image, or why there is none.

OpenAI's form is {"data": [{"b64_json" | "url": ..., "revised_prompt": ...}]}, or {"error": {"message", "code",
"type", "param"}} with a status of 400 and above; compatible servers also write {"error": "..."}, {"detail": "..."} and
{"message": "..."}. OpenAI and Azure name a refusal content_policy_violation or moderation_blocked, with
status 400 or 403; others say it in words, and relays use status 451.
"""

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scanner.targets.api._fault import LONGEST_WAIT, Fault, one_sentence, seconds_to_wait
from scanner.targets.api._http import Reply
from scanner.targets.api._settings import ApiSettings

_REFUSALS = (
    *("content_policy", "content policy", "contentfilter", "content_filter", "moderation", "safety system"),
    *("content filter", "content management policy", "safety filter", "safety policy", "image_safety"),
    *("unsafe_generation", "nsfw"),
)
"""What the code, type or message of a refusal holds, in lower case."""
_USED_UP = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_AGAIN = (408, 409, 425, 429)
"""Statuses below 500 after which asking again may help."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An image that was given."""

    encoded: bytes | None
    """The image file; None where only its address was given."""
    url: str | None
    """Where it lies."""
    note: str | None
    """One sentence where the API drew another text than the one that was sent."""


def read_answer(reply: Reply, settings: ApiSettings) -> Answered:
    """The image of an answer. Raises Fault."""
    if not 200 <= reply.status < 300:
        raise _failure(reply, settings)
    content = _json(reply)
    if not isinstance(content, dict):
        kind = one_sentence(reply.headers.get("content-type", "no stated type"), most=60)
        raise Fault(defect="not_json", note=f"The API answered with {kind}, not with a JSON object.", retries=1)
    words = _error(content)
    if words.message and "data" not in content:
        raise _refusal(words) or Fault(defect="no_image", note=f"The API says: {_said(words)}.", retries=1)
    data = content.get("data")
    first = data[0] if isinstance(data, list) and data else None
    if not isinstance(first, dict) or not (first.get("b64_json") or first.get("url")):
        raise Fault(defect="no_image", note="The answer holds no image.", retries=1)
    return _answered(first)


def _answered(entry: Mapping[str, Any]) -> Answered:
    revised = entry.get("revised_prompt")
    note = f"The API drew another text: {one_sentence(revised)}" if isinstance(revised, str) and revised else None
    written, url = entry.get("b64_json"), entry.get("url")
    if not written and isinstance(url, str) and url.startswith("data:"):
        written = url
    if not written:
        return Answered(encoded=None, url=str(url), note=note)
    try:
        text = str(written)
        encoded = base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError):
        note = "The answer's image is not valid base64."
        raise Fault(defect="invalid_base64", note=note, retries=1) from None
    return Answered(encoded=encoded, url=None, note=note)


@dataclass(frozen=True, kw_only=True)
class _Words:
    """A server's error."""

    message: str = ""
    code: str = ""
    param: str = ""


def _json(reply: Reply) -> Any:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def _error(content: Any) -> _Words:
    if not isinstance(content, dict):
        return _Words()
    error = content.get("error") or content.get("detail") or content.get("message")
    if isinstance(error, list) and error:
        error = error[0]
    if not isinstance(error, dict):
        return _Words(message=error if isinstance(error, str) else "")
    inner = error.get("innererror") or error.get("inner_error")
    codes = [error.get("code"), error.get("type"), inner.get("code") if isinstance(inner, dict) else None]
    return _Words(
        message=str(error.get("message") or error.get("msg") or ""),
        code=" ".join(str(code) for code in codes if code),
        param=str(error.get("param") or ""),
    )


def _said(words: _Words) -> str:
    """The server's words without their full stop, to stand inside a sentence."""
    return one_sentence(words.message).rstrip(".") or "it gives no reason"


def _refusal(words: _Words) -> Fault | None:
    said = f"{words.code} {words.message}".lower()
    if not any(word in said for word in _REFUSALS):
        return None
    return Fault(defect="refused", note=one_sentence(words.message or words.code))


def _failure(reply: Reply, settings: ApiSettings) -> Fault:
    """What an answer of a status outside 200 to 299 means."""
    words, status = _error(_json(reply)), reply.status
    if status == 401:
        return _stop(
            f"{settings.url} does not accept the key (status 401); put a valid one into the environment variable "
            f"{settings.key_env}, or name another variable with --api-key-env."
        )
    if any(code in words.code for code in _USED_UP):
        return _stop(f"The account at {settings.url} has no credit left; what was made so far is kept.")
    if status == 451:
        return Fault(defect="refused", note=f"The API refuses: {_said(words)}.")
    refusal = _refusal(words) if status < 500 and status != 429 else None
    if refusal is not None:
        return refusal
    return _later(reply, settings, words) if status >= 500 or status in _AGAIN else _rejection(reply, settings, words)


def _later(reply: Reply, settings: ApiSettings, words: _Words) -> Fault:
    """Too many requests, or the server's own trouble."""
    wait = seconds_to_wait(reply.headers.get("retry-after"))
    if wait is not None and wait > LONGEST_WAIT:
        return _stop(
            f"{settings.url} asks to wait {math.ceil(wait):,} seconds (status {reply.status}); give the same command "
            "again then, and the attack goes on where it was."
        )
    if reply.status != 429:
        note = f"The API failed with status {reply.status}: {_said(words)}."
        return Fault(defect="server_error", note=note, retries=None, wait=wait)
    note = (
        f"{settings.url} still takes no request after {settings.retries} retries (status 429, too many requests); "
        "give the same command again later, with fewer --api-threads."
    )
    return Fault(defect="rate_limited", note=note, retries=None, wait=wait, concerns_all=True)


def _rejection(reply: Reply, settings: ApiSettings, words: _Words) -> Fault:
    """A request that the server will not take, however often it is made."""
    status = reply.status
    if 300 <= status < 400:
        where = one_sentence(reply.headers.get("location", "nowhere"), most=120)
        return _stop(f"{settings.url} redirects to {where}, and the key is sent nowhere else; correct --api-url.")
    if status in (404, 405):
        return _stop(
            f"There is no model {settings.model} or no image API at {settings.url} (status {status}: {_said(words)}); "
            "correct --target openai:MODEL or --api-url."
        )
    if status in (402, 403):
        return _stop(f"{settings.url} serves no images to this key (status {status}: {_said(words)}).")
    about = f"{words.param} {words.message}"
    return Fault(
        defect="rejected",
        note=f"The API rejects the request (status {status}: {_said(words)}).",
        parameter=next((name for name in ("response_format", "prompt") if name in about), None),
    )


def _stop(sentence: str) -> Fault:
    return Fault(defect="unusable_api", note=sentence, concerns_all=True)
