"""The ranking once more, slow and obvious: loops over rows, no joins."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import log

import polars as pl

from scanner.duplicates import count_captions, normalise_caption
from scanner.prompts import prompt_id
from tests.prompts.planted import Planted


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the data set that carries a caption."""

    sample: int
    caption: str
    prompt: str
    near: str
    words: frozenset[str]
    group: int | None
    family: int | None


@dataclass(frozen=True, kw_only=True)
class Obvious:
    """What the ranking should say."""

    prompts: list[tuple[str, int | None, int | None, float]]
    """prompt_id, group_id, family_id and risk, riskiest first."""
    left_out: dict[int, str]
    """Groups that no prompt stands for, and why."""
    covered: list[int]
    """Rows that each prompt and those before it cover."""


def rows_of(planted: Planted, families: pl.DataFrame) -> tuple[list[Row], dict[int, tuple[int | None, int | None]]]:
    """The captioned rows, and of every row its group and family."""
    group_of = dict(planted.members.select("sample_id", "group_id").iter_rows())
    pictures = families.select(pl.coalesce("group_id", "sample_id"), "family_id")
    family_of = dict(pictures.iter_rows())
    captions = count_captions(planted.samples, planted.members, planted.groups).captions
    near_of = dict(captions.select("prompt_id", "near_id").iter_rows())
    rows, belonging = [], {}
    for sample, caption in planted.samples.select("sample_id", "caption").iter_rows():
        group = group_of.get(sample)
        family = family_of.get(sample if group is None else group)
        belonging[sample] = (group, family)
        prompt = prompt_id(caption) if caption else None
        if prompt is not None:
            words = frozenset(normalise_caption(caption).split())
            rows.append(
                Row(
                    sample=sample,
                    caption=caption,
                    prompt=prompt,
                    near=near_of[prompt],
                    words=words,
                    group=group,
                    family=family,
                )
            )
    return rows, belonging


def parts_of(inside: list[Row], size: int, one: Row, rows: list[Row]) -> float:
    """Risk of a unit of `size` rows, of which `inside` are captioned, under one row's caption."""
    texts = {row.prompt: row.words for row in rows if row.group is not None or row.family is not None}
    weight = {word: log(1 + len(texts) / sum(word in words for words in texts.values())) for word in one.words}
    said = sum(weight[word] * sum(word in row.words for row in inside) / size for word in one.words)
    shared = said / sum(weight.values())
    near = sum(row.near == one.near for row in inside)
    specific = near / sum(row.near == one.near for row in rows)
    return (size - 1) / (size - 1 + 100) * (min(1, 2 * shared) * min(1, 2 * specific)) ** 0.5


def rank_obviously(planted: Planted, families: pl.DataFrame, most: int) -> Obvious:
    rows, belonging = rows_of(planted, families)
    in_group, in_family = defaultdict(list), defaultdict(list)
    for row in rows:
        in_group[row.group].append(row)
        in_family[row.family].append(row)
    sizes = Counter(group for group, _ in belonging.values())
    family_sizes = Counter(family for _, family in belonging.values())

    def template(one: Row) -> float | None:
        inside = in_family[one.family]
        pictures = {row.sample if row.group is None else row.group for row in inside if row.near == one.near}
        if one.family is None or len(pictures) < 2:
            return None
        return parts_of(inside, family_sizes[one.family], one, rows)

    candidates: dict[tuple[str, int | None, int | None], tuple[float, int, int]] = {}
    nears: dict[str, str] = {}
    for one in rows:
        risk = template(one)
        family = None if risk is None else one.family
        if one.group is not None:
            own = parts_of(in_group[one.group], sizes[one.group], one, rows)
            carried = sum(row.prompt == one.prompt for row in in_group[one.group])
            candidates[one.prompt, one.group, family] = (max(own, (risk or 0) / 2), sizes[one.group], carried)
        elif risk is not None:
            carried = sum(row.prompt == one.prompt for row in in_family[one.family])
            candidates[one.prompt, None, family] = (risk / 2, 1, carried)
        nears[one.prompt] = one.near
    return _listed(candidates, nears, belonging, planted, most)


def _listed(candidates, nears, belonging, planted: Planted, most: int) -> Obvious:  # type: ignore[no-untyped-def]
    far = 10**9  # nulls come last

    def order(item):  # type: ignore[no-untyped-def]
        (prompt, group, family), (risk, copies, carried) = item
        return (
            -round(risk, 12),
            -copies,
            -carried,
            far if group is None else group,
            far if family is None else family,
            prompt,
        )

    def unit(key):  # type: ignore[no-untyped-def]
        return ("group", key[1]) if key[1] is not None else ("family", key[2])

    listed, given, near = [], Counter(), set()
    for key, (risk, _, _) in sorted(candidates.items(), key=order):
        again = key[0] in {row[0] for row in listed} or (unit(key), nears[key[0]]) in near
        if not again and given[unit(key)] < most:
            given[unit(key)] += 1
            near.add((unit(key), nears[key[0]]))
            listed.append((*key, risk))
    covered, seen = [], set()
    for _, group, family, _ in listed:
        seen |= {sample for sample, (g, f) in belonging.items() if g is not None and g == group}
        seen |= {sample for sample, (g, f) in belonging.items() if f is not None and f == family}
        covered.append(len(seen))
    captioned = {key[1] for key in candidates}
    left = {
        group: "caption_taken" if group in captioned else "no_caption"
        for group in planted.groups["group_id"]
        if group not in seen  # a group's id is a row of its own
    }
    return Obvious(prompts=listed, left_out=left, covered=covered)
