"""Rows are chosen before they are decoded, the same ones each time, and those set aside stand in the ledger."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UnusableInputError
from scanner.samples import Columns, Failure, Options, Sample, open_dataset
from tests.samples.pictures import encode, photo_like
from tests.samples.test_webdataset import write_tar

PNG = encode(photo_like(0, 8, 8))
ROWS = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tars of twenty rows with figures of every kind in their .json; every tenth row has no image."""
    folder = tmp_path_factory.mktemp("set")
    for shard in range(2):
        members: list[tuple[str, bytes]] = []
        for i in range(20 * shard, 20 * shard + 20):
            fields = {"alt": f"picture {i}", "URL": f"https://x.org/{i}", "punsafe": i / ROWS, "LICENSE": None}
            if i % 2:
                fields["LICENSE"] = "CC0"
            if i % 10:
                members.append((f"{i:03d}.png", PNG))
            members.append((f"{i:03d}.json", json.dumps(fields).encode()))
        write_tar(folder / f"{shard}.tar", members)
    return folder


def read(folder: Path, **options) -> list[Sample | Failure]:
    dataset = open_dataset(folder, Options(**options))
    return [item for shard in dataset.shards for item in dataset.read(shard)]


def samples(items: list[Sample | Failure]) -> list[int]:
    return [int(item.key) for item in items if isinstance(item, Sample)]


def aside(items: list[Sample | Failure]) -> dict[int, str]:
    return {int(i.key): i.reason for i in items if isinstance(i, Failure) and i.stage == "select"}


def test_a_condition_sets_rows_aside_and_all_rows_stay_accounted_for(folder):
    items = read(folder, where="punsafe < 0.5 AND LICENSE = 'CC0'")
    readable = [i for i in range(ROWS) if i % 10]
    assert samples(items) == [i for i in readable if i < 20 and i % 2]
    assert aside(items) == {i: "where" for i in readable if not (i < 20 and i % 2)}
    assert len(items) == ROWS


def test_an_unknown_value_is_set_aside_as_in_sql(folder):
    assert samples(read(folder, where="NOT (LICENSE = 'CC0')")) == []
    assert samples(read(folder, where="LICENSE IS NULL")) == [i for i in range(ROWS) if i % 10 and not i % 2]


def test_key_caption_and_url_can_be_asked_for(folder):
    assert samples(read(folder, where="key > '037' OR url LIKE '%/11'")) == [11, 38, 39]
    columns = Columns(caption="alt")
    assert samples(read(folder, columns=columns, where="caption = 'picture 7'")) == [7]


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("punsafe <", "not a condition in SQL"),
        ("punsave < 0.5", "punsave, which is not there; found .*punsafe"),
        ("punsafe + 1", "not true or false"),
        ("punsafe LIKE 'a%'", "can't be evaluated"),
    ],
)
def test_a_condition_that_cannot_be_used_is_one_sentence(folder, condition, says):
    with pytest.raises(UnusableInputError, match=says):
        read(folder, where=condition)


def test_columns_that_are_not_there_are_refused_with_what_was_found(folder):
    for options in ({"carry": ("NSFW",)}, {"columns": Columns(caption="NSFW")}):
        with pytest.raises(UnusableInputError, match=r"NSFW, which is not there; found .*LICENSE"):
            read(folder, **options)


def test_a_named_caption_column_is_used(folder):
    assert {item.caption for item in read(folder) if isinstance(item, Sample)} == {None}
    named = read(folder, columns=Columns(caption="alt"))
    assert [item.caption for item in named if isinstance(item, Sample)][:2] == ["picture 1", "picture 2"]


def test_a_share_is_drawn_by_key_and_a_larger_share_holds_the_smaller(folder, tmp_path):
    drawn = {share: samples(read(folder, sample=share)) for share in (0.1, 0.5, 1.0)}
    assert set(drawn[0.1]) < set(drawn[0.5]) < set(drawn[1.0]) == {i for i in range(ROWS) if i % 10}
    everything = [(f"{i:03d}.png", PNG) for i in reversed(range(ROWS)) if i % 10]
    assert sorted(samples(read(write_tar(tmp_path / "other.tar", everything), sample=0.5))) == drawn[0.5]
    items = read(folder, sample=0.5)
    assert len(items) == ROWS
    assert set(aside(items)) == set(drawn[1.0]) - set(drawn[0.5])


@given(limit=st.integers(1, 50), share=st.sampled_from([None, 0.3]), where=st.sampled_from([None, "punsafe > 0.4"]))
def test_a_limit_counts_the_rows_that_are_left(folder, limit, share, where):
    whole = read(folder, sample=share, where=where)
    items = read(folder, sample=share, where=where, limit=limit)
    assert items == whole[: len(items)]
    assert len(items) - len(aside(items)) == min(limit, len(whole) - len(aside(whole)))


@pytest.mark.parametrize("options", [{"sample": 0.0}, {"sample": 1.5}, {"limit": 0}, {"layout": "nonsense"}])
def test_settings_without_sense_are_refused(folder, options):
    with pytest.raises(UnusableInputError):
        read(folder, **options)


def test_a_condition_may_name_a_column_twice(folder):
    assert samples(read(folder, where="punsafe > 0.1 AND punsafe < 0.2")) == [5, 6, 7]


@pytest.mark.parametrize(
    "condition", ["MAX(punsafe) > 0.5", "punsafe >= 0 AND COUNT(*) > 5", "SUM(punsafe) OVER () > 1"]
)
def test_a_condition_on_several_rows_is_refused_since_rows_are_seen_some_at_a_time(folder, condition):
    with pytest.raises(UnusableInputError, match="each row by itself"):
        read(folder, where=condition)


def test_a_constant_condition_holds_for_all_rows_or_none(folder):
    readable = [i for i in range(ROWS) if i % 10]
    assert samples(read(folder, where="1 = 1")) == readable
    assert samples(read(folder, where="1 = 2")) == []


def test_a_column_that_is_null_for_long_keeps_its_type(tmp_path):
    members = []
    for i in range(600):
        fields = {"LICENSE": "CC0" if i % 2 and i > 550 else None, "note": None}
        members += [(f"{i:03d}.png", PNG), (f"{i:03d}.json", json.dumps(fields).encode())]
    write_tar(tmp_path / "0.tar", members)
    assert samples(read(tmp_path, where="LICENSE LIKE 'CC%'")) == [i for i in range(551, 600) if i % 2]
    assert samples(read(tmp_path, where="note > 0.5 OR note LIKE 'a%' OR key = '007'")) == [7]


def test_a_limit_counts_rows_not_remarks(tmp_path):
    whole = write_tar(tmp_path / "0.tar", [("a.png", PNG), ("b.png", PNG)]).read_bytes()
    (tmp_path / "0.tar").write_bytes(whole[:1100])
    write_tar(tmp_path / "1.tar", [("c.png", PNG), ("d.png", PNG)])
    items = read(tmp_path, limit=2)
    assert [item.key for item in items if item.key] == ["a", "c"]
    assert [item.reason for item in items if not item.key] == ["truncated_shard"]


def test_a_named_key_column_gives_the_keys_and_a_row_without_it_is_a_failure(tmp_path):
    members = [("0.png", PNG), ("0.json", b'{"uid": "x7"}'), ("1.png", PNG), ("1.json", b'{"uid": null}')]
    write_tar(tmp_path / "0.tar", members)
    for name, content in members:
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(content)
    for path in (tmp_path, tmp_path / "photos"):
        items = read(path, columns=Columns(key="uid"))
        assert [(item.key, getattr(item, "reason", "")) for item in items] == [("x7", ""), ("1", "missing_key")]


def test_what_the_scanner_calls_its_rows_is_not_carried(folder):
    with pytest.raises(UnusableInputError, match="scanner's own name"):
        read(folder, carry=("sample_id",))
