"""results.sarif: the findings in SARIF 2.1.0, for code scanning and every viewer of static analysis.

A result is a hit, a caption of the class high, or a duplicate group; its location is the training image. Code hosts
take 25,000 results and show 5,000: the first MOST_RESULTS are written, hits first, and the file says how many there
are. Fingerprints are made of the prompt's id and the picture's content, so that a result is the same one in the next
run. What people rejected by eye (`scanner review`) is suppressed. Texts of strangers stand in messages cut, with
invisible characters shown, and with SARIF's own marks for placeholders and links escaped.

SARIF 2.1.0 with errata 01, OASIS, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

    >>> json.loads(sarif(gather(run)))["runs"][0]["results"][0]["ruleId"]        # doctest: +SKIP
    'extraction/matching'
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from scanner.report._findings import Findings
from scanner.report._records import Group, Hit, Memorised, Prompt, SampleRef
from scanner.report._sample_uri import sample_uri
from scanner.report._sarif_rules import NAME, RULES, Rule, descriptors, rule_of, taxonomies
from scanner.report._show import cut
from scanner.report._words import count
from scanner.review import REJECTED

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 5_000
"""What code hosts show of a file."""
CAPTION = 200
"""Characters of a caption in a message."""
_BASE = "DATASET"
_INDEX = {rule.id: number for number, rule in enumerate(RULES)}


def sarif(found: Findings) -> str:
    """The whole file; the same findings give the same text."""
    results = list(islice(_results(found), MOST_RESULTS))
    driver: dict[str, Any] = {
        "name": NAME,
        "version": found.scanner_version,
        "rules": descriptors(),
        "supportedTaxonomies": [{"name": taxonomy["name"]} for taxonomy in taxonomies()],
    }
    run = {
        "tool": {"driver": driver},
        "taxonomies": taxonomies(),
        "invocations": [{"executionSuccessful": found.complete, "toolExecutionNotifications": _notes(found, results)}],
        "originalUriBaseIds": {_BASE: {"description": {"text": "The data set: a shard and a key in it."}}},
        "results": results,
        "properties": _figures(found),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _figures(found: Findings) -> dict[str, Any]:
    """The figures that the results are read against: counts, rates with their intervals, and what they don't say."""
    rates = {f"verified_{arm.arm}": asdict(arm.verified) for arm in found.arms if found.attacked and found.compared}
    return {
        "headline": plain(found.headline),
        "summary": plain(found.summary),
        "rows": asdict(found.rows),
        "duplicate_groups": found.duplicates.groups,
        "duplicate_rows": found.duplicates.rows,
        **rates,
        "limits": [plain(line) for line in found.limits],
    }


def _notes(found: Findings, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What this file leaves out, and checks that failed."""
    written = dict.fromkeys(_INDEX, 0)
    for result in results:
        written[result["ruleId"]] += 1
    hits = sum(arm.verified.hits for arm in found.arms)
    classes = () if found.ranking is None else found.ranking.classes
    high = next((one.prompts for one in classes if one.name == "high"), 0)
    memorised = 0 if found.unconditional is None else found.unconditional.memorised
    all_and_written = (
        ("verified hits", hits, sum(written[f"extraction/{name}"] for name in ("matching", "template", "retrieved"))),
        ("memorised pictures", memorised, written["extraction/unconditional"]),
        ("prompts of the class high", high, written["risk/high-risk-prompt"]),
        ("duplicate groups", found.duplicates.groups, written["duplicates/near-duplicate-group"]),
    )
    lines = [
        f"This file lists {listed:,} of {there:,} {what}." for what, there, listed in all_and_written if there > listed
    ]
    failed = [f"A check of the tables failed: {check.sentence}" for check in found.checks if not check.passed]
    return [
        *({"level": "note", "message": {"text": escaped(line)}} for line in (*lines, *_rejected(results))),
        *({"level": "error", "message": {"text": escaped(line)}} for line in failed),
    ]


def _rejected(results: list[dict[str, Any]]) -> list[str]:
    number = sum(bool(result.get("suppressions")) for result in results)
    return [f"Of these results {number:,} {'was' if number == 1 else 'were'} rejected by eye."] if number else []


def _results(found: Findings) -> Iterator[dict[str, Any]]:
    reviewed = found.review is not None
    for hit in found.hits:
        yield _hit(hit) | _suppressions(hit.review, reviewed=reviewed)
    for picture in () if found.unconditional is None else found.unconditional.most:
        if picture.memorised:
            yield _memorised(picture) | _suppressions(picture.review, reviewed=reviewed)
    for prompt in found.prompts:
        if prompt.risk_class == "high":
            yield _prompt(prompt) | _suppressions(None, reviewed=reviewed)
    for group in found.groups:
        yield _group(group) | _suppressions(group.review, reviewed=reviewed)


REJECTED_BY_EYE = (
    "Rejected by eye: whoever looked at the pictures (scanner review) rejected the finding, and nobody accepted it. "
    "The decision holds for these very pixels; counts and rates of this run stay those by rule."
)


def _suppressions(review: str | None, *, reviewed: bool) -> dict[str, Any]:
    """Of a run that nobody reviewed none; else a list for every result, empty for those that stand, since either all
    results of a run have one or none has (SARIF 2.1.0, 3.27.23)."""
    if not reviewed:
        return {}
    one = {"kind": "external", "status": "accepted", "justification": REJECTED_BY_EYE}
    return {"suppressions": [one] if review == REJECTED else []}


def _hit(hit: Hit) -> dict[str, Any]:
    arm = "control prompt" if hit.arm == "control" else "high-risk prompt"
    text = (
        f"The {arm} {_quoted(hit.caption)} gave back a training image ({hit.verdict}): {hit.agreeing:,} of "
        f"{count(hit.evidence, 'full-step generation')} agree on it; it stands in {count(hit.copies, 'row')}."
    )
    distances = {
        name: getattr(hit, name)
        for name in (
            *("l2", "normalised_l2", "tile_l2", "reconstruction_l2", "copy_similarity", "template_area"),
            *("template_l2", "masked_share", "k", "seed", "review"),
        )
    }
    return _result(
        rule_of(f"extraction/{hit.verdict}"),
        text,
        hit.original,
        prints={"prompt/v1": hit.prompt_id} | _content(hit.original),
        count=hit.copies,
        more={"arm": hit.arm, "rank": hit.rank, "agreeing": hit.agreeing, "evidence": hit.evidence, **distances},
    )


def _memorised(picture: Memorised) -> dict[str, Any]:
    text = (
        f"{count(picture.generations, 'generation')} of a model without prompts show this training image; the nearest "
        f"at an adaptive distance of {picture.adaptive_l2:.3g}."
    )
    more = {"adaptive_l2": picture.adaptive_l2, "l2": picture.l2, "seed": picture.seed}
    rule = rule_of("extraction/unconditional")
    return _result(rule, text, picture.sample, prints=_content(picture.sample), count=picture.copies, more=more)


def _prompt(prompt: Prompt) -> dict[str, Any]:
    text = f"Rank {prompt.rank:,} of the high-risk prompts: {_quoted(prompt.caption)}. {_cut(prompt.reason)}."
    risk = {} if prompt.risk is None else {"rank": round(100 * prompt.risk, 4)}
    more = {"rank": prompt.rank, "risk": prompt.risk, "verdict": prompt.verdict}
    return risk | _result(
        rule_of("risk/high-risk-prompt"),
        text,
        prompt.sample,
        prints={"prompt/v1": prompt.prompt_id},
        count=prompt.copies,
        more=more,
    )


def _group(group: Group) -> dict[str, Any]:
    caption = "no caption" if group.top_caption is None else f"most often {_quoted(group.top_caption)}"
    text = (
        f"{count(group.copies, 'row')} show this picture under {count(group.distinct_captions, 'caption')}, {caption}."
    )
    more = {"group_id": group.group_id, "distinct_images": group.distinct_images}
    rule = rule_of("duplicates/near-duplicate-group")
    return _result(rule, text, group.medoid, prints=_content(group.medoid), count=group.copies, more=more)


def _result(  # noqa: PLR0913 - the parts of one record
    rule: Rule,
    text: str,
    sample: SampleRef | None,
    *,
    prints: Mapping[str, str],
    count: int,
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """`prints` are its fingerprints, `text` the message with SARIF's marks already escaped."""
    whole = hashlib.sha256("\0".join([rule.id, *(prints[name] for name in sorted(prints))]).encode()).hexdigest()
    place = {} if sample is None else {"sample_id": sample.sample_id, "shard": sample.shard, "key": sample.key}
    return {
        "ruleId": rule.id,
        "ruleIndex": _INDEX[rule.id],
        "level": rule.level,
        "message": {"text": text},
        "locations": [] if sample is None else [_location(sample)],
        "occurrenceCount": max(1, count),
        # the one that code hosts read, https://docs.github.com/code-security/code-scanning (SARIF support)
        "partialFingerprints": {"primaryLocationLineHash": f"{whole[:32]}:1", **prints},
        "properties": {
            name: plain(value) if isinstance(value, str) else value
            for name, value in (place | dict(more)).items()
            if value is not None
        },
    }


def _location(sample: SampleRef) -> dict[str, Any]:
    uri, inside = sample_uri(sample)
    place = {"uri": uri} | ({"uriBaseId": _BASE} if inside else {})
    # an image has no lines, but code hosts ask for one
    return {"physicalLocation": {"artifactLocation": place, "region": {"startLine": 1}}}


def _content(sample: SampleRef | None) -> dict[str, str]:
    """What the picture is known by in every run: its pixels, or its file, or its name in the data set."""
    if sample is None:
        return {}
    if sample.pixel_sha256 or sample.file_sha256:
        return {"content/v1": str(sample.pixel_sha256 or sample.file_sha256)}
    return {"name/v1": hashlib.sha256(f"{sample.shard}\0{sample.key}".encode()).hexdigest()}


def plain(text: str) -> str:
    """A text with its invisible characters shown, at most 2,000 characters of it."""
    return cut(text, 2_000).text


def escaped(text: str) -> str:
    """A text in a message: braces and brackets are no placeholder and no link (SARIF 2.1.0, 3.11.5 and 3.11.6)."""
    for mark, written in (("\\", "\\\\"), ("[", "\\["), ("]", "\\]"), ("{", "{{"), ("}", "}}")):
        text = text.replace(mark, written)
    return text


def _cut(text: str) -> str:
    shown = cut(text, CAPTION)
    return escaped(shown.text) + ("" if shown.whole is None else "…")


def _quoted(caption: str) -> str:
    return f"“{_cut(caption)}”" if caption else "without a caption"
