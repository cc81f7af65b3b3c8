"""Lists of URLs are recognised, read in batches and judged: rows = to download + ledger, whatever is in them."""

import datetime
import decimal
import gzip
import io
import json
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UnusableInputError
from scanner.samples import Columns, Options, Sample, choose, open_dataset, open_url_list
from scanner.samples.urls._chunks import given_name, stored_name
from tests.samples.pictures import encode, photo_like
from tests.samples.test_webdataset import write_tar

A, B = "https://a.org/1.jpg", "http://b.org/2.png"


def roles(path: Path | str, options: Options | None = None) -> tuple[str, str | None, str | None]:
    """The url, caption and key columns of a list of one file."""
    urls = open_url_list(path, options)
    assert urls is not None
    return urls.files[0].url, urls.files[0].caption, urls.files[0].key


def chunks_of(path: Path | str, options: Options | None = None, rows: int = 10_000) -> pl.DataFrame:
    """All rows to download, with the number of their chunk."""
    urls = open_url_list(path, options)
    assert urls is not None
    parts = list(choose(urls, options or Options(), rows))
    return pl.concat([part.rows.with_columns(chunk=pl.lit(n)) for n, part in enumerate(parts)], how="diagonal_relaxed")


def ledger_of(path: Path | str, options: Options | None = None) -> dict[str, tuple[str, str]]:
    urls = open_url_list(path, options)
    assert urls is not None
    rows = [row for part in choose(urls, options or Options(), 10_000) for row in part.ledger.iter_rows()]
    found = {key: (stage, reason) for key, stage, reason, message in rows if message}
    assert len(found) == len(rows)
    return found


PUBLISHED: dict[str, tuple[dict[str, Any], tuple[str, str | None, str | None]]] = {
    "laion-400m": (
        {
            "SAMPLE_ID": 7,
            "URL": A,
            "TEXT": "a",
            "HEIGHT": 3,
            "WIDTH": 4,
            "LICENSE": "?",
            "NSFW": "no",
            "similarity": 0.3,
        },
        ("URL", "TEXT", "SAMPLE_ID"),
    ),
    "laion2B-en-joined": (
        {
            "URL": A,
            "TEXT": "a",
            "WIDTH": 4,
            "HEIGHT": 3,
            "similarity": 0.3,
            "hash": -5,
            "punsafe": 0.1,
            "pwatermark": 0.2,
        },
        ("URL", "TEXT", None),
    ),
    "laion-coco": (
        {"URL": A, "TEXT": "a", "top_caption": "b", "all_captions": ["b", "c"], "all_similarities": [0.2, 0.1]},
        ("URL", "TEXT", None),
    ),
    "coyo-700m": (
        {"id": 1, "url": A, "text": "a", "width": 4, "height": 3, "image_phash": "f", "watermark_score": 0.1},
        ("url", "text", None),
    ),
    "datacomp": (
        {"uid": "f" * 32, "url": A, "text": "a", "original_width": 4, "face_bboxes": [[0.1, 0.2]], "sha256": "0" * 64},
        ("url", "text", "uid"),
    ),
    "recap-datacomp": (
        {"url": A, "re_caption": "a", "org_caption": "b", "sha256": "0" * 64, "key": "000000007"},
        ("url", "re_caption", "key"),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_columns_of_published_lists_are_found(name, tmp_path):
    row, expected = PUBLISHED[name]
    pl.DataFrame([row]).write_parquet(tmp_path / f"{name}.parquet")
    assert roles(tmp_path) == roles(tmp_path / f"{name}.parquet") == roles(f"{tmp_path}/*.parquet") == expected
    chosen = chunks_of(tmp_path).row(0, named=True)
    assert (chosen["url"], chosen["caption"]) == (A, "a")
    assert chosen["row_key"] == str(row.get(expected[2] or "", 0))
    others = {given_name(key): chosen[key] for key in chosen if key not in ("row_key", "url", "caption", "chunk")}
    assert others == {key: value for key, value in row.items() if key not in expected[:2]}


def test_a_tsv_without_a_header_is_read_as_cc12m_publishes_it(tmp_path):
    lines = [f"{A}\ta cat", f'{B}\t"so, he said', f'{A}\tan inch is 1"', f"{B}\t", f'{A}\t«été» said "no"']
    (tmp_path / "cc12m.tsv").write_text("\n".join(lines) + "\n")
    with gzip.open(tmp_path / "cc12m.tsv.gz", "wt") as file:
        file.write("\r\n".join(lines))
    for name in ("cc12m.tsv", "cc12m.tsv.gz"):
        rows = chunks_of(tmp_path / name)
        assert rows["caption"].to_list() == ["a cat", '"so, he said', 'an inch is 1"', None, '«été» said "no"']
        assert rows["url"].to_list() == [A, B, A, B, A]
        assert rows["row_key"].to_list() == ["0", "1", "2", "3", "4"]


def test_a_tsv_may_name_the_caption_first(tmp_path):
    (tmp_path / "cc3m.tsv").write_text(f"a cat\t{A}\na dog\t{B}\n")
    assert chunks_of(tmp_path)["caption"].to_list() == ["a cat", "a dog"]


def test_tables_with_a_header_are_read_by_what_their_tools_write(tmp_path):
    frame = pl.DataFrame(
        {
            "url": [A, B, A],
            "text": ["one, two", 'he said "no"', "three\nlines"],
            "key": ["007", "008", "009"],
            "score": [0.5, None, 2.0],
            "n": [1, 2, 3],
        }
    )
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.jsonl")
    frame[:2].write_csv(tmp_path / "a.tsv", separator="\t")
    with gzip.open(tmp_path / "a.csv.gz", "wb") as file:
        file.write((tmp_path / "a.csv").read_bytes())
    for name, count in (("a.csv", 3), ("a.csv.gz", 3), ("a.jsonl", 3), ("a.tsv", 2)):
        assert roles(tmp_path / name) == ("url", "text", "key")
        rows = chunks_of(tmp_path / name)
        assert rows["caption"].to_list() == frame["text"].to_list()[:count], name
        assert rows["row_key"].to_list() == ["007", "008", "009"][:count], name
        assert rows["score"].to_list() == [0.5, None, 2.0][:count], name
        assert rows["n"].to_list() == [1, 2, 3][:count], name


def test_columns_can_be_named(tmp_path):
    pl.DataFrame({"url": [A], "link": [B], "text": ["a"], "alt": ["b"], "hash": [5]}).write_parquet(
        tmp_path / "a.parquet"
    )
    columns = Columns(url="link", caption="alt", key="hash")
    assert roles(tmp_path, Options(columns=columns)) == ("link", "alt", "hash")
    row = chunks_of(tmp_path, Options(columns=columns)).row(0, named=True)
    assert (row["url"], row["caption"], row["row_key"], row["list_url"], row["text"]) == (B, "b", "5", A, "a")
    with pytest.raises(UnusableInputError, match=r"no caption column \(looked for nothing; found url link text alt"):
        open_url_list(tmp_path, Options(columns=Columns(caption="nothing")))


def test_other_data_are_no_list(tmp_path):
    png = encode(photo_like(0, 20, 30))

    def folder(name: str, **columns: Sequence[Any]) -> Path:
        (tmp_path / name).mkdir()
        pl.DataFrame(columns).write_parquet(tmp_path / name / "00000.parquet")
        return tmp_path / name

    bytes_ = folder("bytes", url=[A], jpg=[png])
    struct = folder("struct", url=[A], picture=[{"bytes": png, "path": "a.png"}])
    ours = folder("img2dataset", url=[A], key=["0"], status=["success"], error_message=[None])
    tars, photos, vectors = folder("tars", url=[A]), folder("photos", url=[A]), folder("vectors", uid=["0"], url=[A])
    write_tar(tars / "00000.tar", [("0.png", png)])
    (photos / "deep").mkdir()
    (photos / "deep" / "a.png").write_bytes(png)
    np.savez(vectors / "00000.npz", b32_img=np.zeros((1, 4), np.float16))
    nothing = folder("nothing", text=["a"])
    for path in (bytes_, struct, ours, tars, photos, vectors, nothing, vectors / "00000.parquet", tmp_path / "nowhere"):
        assert open_url_list(path) is None, path
    assert open_url_list(photos, Options(layout="folder")) is None
    assert roles(vectors, Options(layout="urls")) == ("url", None, "uid")
    assert open_dataset(photos).layout == "folder"


def test_a_list_is_no_data_set_and_that_is_said(tmp_path):
    (tmp_path / "cc12m.tsv").write_text(f"{A}\ta cat\n")
    for options in (Options(), Options(layout="urls")):
        with pytest.raises(UnusableInputError, match=r"cc12m.tsv is a list of URLs, without images; `scanner audit`"):
            open_dataset(tmp_path, options)


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    pl.DataFrame({"url": [A]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"caption": ["a"]}).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(UnusableInputError, match=r"b.parquet has no url column .*found caption"):
        open_url_list(tmp_path)
    (tmp_path / "c.csv").write_text("url,url\n")
    with pytest.raises(UnusableInputError, match="names the column url twice"):
        open_url_list(tmp_path / "c.csv")


def test_every_row_has_an_address_that_can_be_asked_or_a_reason(tmp_path):
    urls = [
        A,
        None,
        "",
        "  ",
        f"  {B} ",
        "file:///etc/passwd",
        "ftp://a.org/1.jpg",
        "HTTPS://A.org/x",
        "http://",
        "a.org/1",
    ]
    pl.DataFrame({"url": urls, "uid": list(string.ascii_lowercase[: len(urls)])}).write_parquet(tmp_path / "a.parquet")
    assert dict(chunks_of(tmp_path).select("row_key", "url").iter_rows()) == {"a": A, "e": B, "h": "HTTPS://A.org/x"}
    no_url, unusable = ("download", "no_url"), ("download", "unusable_url")
    assert ledger_of(tmp_path) == dict.fromkeys("bcd", no_url) | dict.fromkeys("fgij", unusable)


def test_a_key_counts_once_and_a_row_without_one_goes_by_its_number(tmp_path):
    (tmp_path / "a.csv").write_text(f"uid,url\nx,{A}\n,{A}\nx,{B}\n2,{B}\n,{A}\n")
    assert chunks_of(tmp_path)["row_key"].to_list() == ["x", "1", "2", "4"]
    assert ledger_of(tmp_path) == {"x": ("read", "duplicate_key")}


def test_rows_are_set_aside_before_anything_else_is_done_with_them(tmp_path):
    count = 300
    frame = pl.DataFrame({"uid": [f"k{i}" for i in range(count)], "score": [i % 10 for i in range(count)]})
    frame = frame.with_columns(url=pl.when(pl.col("score") == 3).then(None).otherwise(pl.lit(A)))
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=70)
    options = Options(where="score < 5 AND url LIKE 'http%' OR key = 'k3'", sample=0.5)
    write_tar(tmp_path / "a.tar", [(f"k{i}.{e}", b"{}") for i in range(count) for e in ("jpg", "json")])
    shares = open_dataset(tmp_path / "a.tar", Options(sample=0.5))
    drawn = [item.key for item in shares.read(shares.shards[0]) if isinstance(item, Sample)]
    held = frame.filter((pl.col("score") < 5) & pl.col("url").is_not_null() | (pl.col("uid") == "k3"))["uid"].to_list()
    assert 100 < len(drawn) < 200

    path = tmp_path / "a.parquet"
    ledger = ledger_of(path, options)
    assert chunks_of(path, options)["row_key"].to_list() == [key for key in held if key in drawn and key != "k3"]
    assert {key for key, (_, reason) in ledger.items() if reason == "sample"} == set(frame["uid"]) - set(drawn)
    assert {key for key, (_, reason) in ledger.items() if reason == "where"} == set(drawn) - set(held)
    assert ledger["k3"] == (("download", "no_url") if "k3" in drawn else ("select", "sample"))
    assert len(ledger) + len(chunks_of(path, options)) == count


def test_a_limit_counts_rows_that_are_not_set_aside(tmp_path):
    frame = pl.DataFrame({"url": [A, None, B, A, B, A], "n": [0, 1, 2, 3, 4, 5]})
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_parquet(tmp_path / "b.parquet")
    options = Options(where="n <> 2", limit=3)
    assert chunks_of(tmp_path, options)["row_key"].to_list() == ["0", "3"]
    assert ledger_of(tmp_path, options) == {"1": ("download", "no_url"), "2": ("select", "where")}
    assert len(chunks_of(tmp_path, Options(limit=7))) == 6


def test_settings_that_do_not_fit_are_refused_at_once(tmp_path):
    (tmp_path / "a.csv").write_text(f"url,score,n\n{A},0.5,x\n")

    def refused(match: str, **options: Any) -> None:
        with pytest.raises(UnusableInputError, match=match):
            open_url_list(tmp_path, Options(**options))

    refused("names the column punsafe, which is not there; found url score n", where="punsafe < 0.1")
    refused("names the column LICENSE", carry=("LICENSE",))
    refused("can't be evaluated", where="n + 1 > 2")
    refused("gives a Float64, not true or false", where="score + 1")
    refused("not a condition in SQL", where="score <")
    refused("share of rows", sample=1.5)
    refused("limit of 0", limit=0)


def test_a_number_that_is_none_is_unknown_and_nothing_is_lost(tmp_path):
    lines = [f"{A},{i}" for i in range(1200)] + [f"{B},many", f"{B},7"]
    (tmp_path / "a.csv").write_text("url,n\n" + "\n".join(lines) + "\n")
    options = Options(where="n < 9 AND url LIKE '%b.org%'")
    assert chunks_of(tmp_path, options)["row_key"].to_list() == ["1201"]
    assert chunks_of(tmp_path)["n"].to_list()[-2:] == ["many", "7"]
    assert len(ledger_of(tmp_path, options)) == 1201


def test_broken_rows_stand_in_the_ledger_by_their_number(tmp_path):
    (tmp_path / "a.tsv").write_bytes(
        b"url\ttext\n"
        + f"{A}\ta\n".encode()
        + b"\n"
        + A.encode()
        + b"\t\xff\n"
        + f"{A}\ta\tb\n{A}\n{B}\tlast\n".encode()
    )
    broken = ("read", "broken_row")
    assert ledger_of(tmp_path / "a.tsv") == {"1": ("read", "caption_not_utf8"), "2": broken, "3": broken}
    assert chunks_of(tmp_path / "a.tsv")["row_key"].to_list() == ["0", "4"]

    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfurl,text\n" + f"{A},a\n{A},a,b\n".encode() + A.encode() + b",\xff\n")
    with (tmp_path / "a.csv").open("a") as file:
        file.write(f"{A},{'x' * 200_000}\n{B},last\n")
    assert ledger_of(tmp_path / "a.csv") == {"1": broken, "2": ("read", "caption_not_utf8"), "3": broken}
    assert chunks_of(tmp_path / "a.csv")["row_key"].to_list() == ["0", "4"]

    good = json.dumps({"url": A, "text": "a", "deep": {"x": [1, {"y": 2}]}, "new": 10**30})
    lines = [
        good,
        "{",
        "[1]",
        '{"url": "' + A + '", "text": "\\ud800"}',
        '{"url": 5}',
        "",
        json.dumps({"url": B, "later": [1]}),
    ]
    (tmp_path / "a.jsonl").write_bytes("\n".join(lines).encode() + b'\n{"url": "\xff"}\n')
    bad_json, text = ("read", "broken_json"), ("read", "caption_not_utf8")
    expected = {"1": bad_json, "2": bad_json, "3": text, "4": ("download", "unusable_url"), "6": text}
    assert ledger_of(tmp_path / "a.jsonl") == expected
    rows = chunks_of(tmp_path / "a.jsonl")
    assert rows["row_key"].to_list() == ["0", "5"]
    assert rows["deep"].to_list() == ['{"x": [1, {"y": 2}]}', None]


@given(st.lists(st.binary(max_size=12).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")), max_size=8))
def test_whatever_stands_in_a_line_every_line_is_a_row_to_download_or_an_entry(lines):
    store = fsspec.filesystem("memory")
    full = [line for line in lines if line.strip()]
    for name, head in (("a.tsv", b"url\ttext\n"), ("a.jsonl", json.dumps({"url": A}).encode() + b"\n")):
        store.pipe(f"/lists/{name}", head + b"\n".join(lines))
        urls = open_url_list(f"memory://lists/{name}")
        assert urls is not None
        parts = list(choose(urls, Options(), 3))
        assert sum(len(part.rows) + len(part.ledger) for part in parts) == len(full) + (name == "a.jsonl")


def test_a_file_that_is_cut_is_read_up_to_the_cut(tmp_path):
    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"url": f"{A}?{i}", "text": "%030x" % (i * 7919**5)}) + "\n" for i in range(3000))
    whole = (tmp_path / "a.jsonl.gz").read_bytes()
    (tmp_path / "a.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    ledger, rows = ledger_of(tmp_path), chunks_of(tmp_path)
    assert ledger[""] == ("read", "truncated_shard")
    assert rows["row_key"].to_list() == [str(i) for i in range(len(rows))]
    assert 1000 < len(rows) < 2000


def test_a_row_group_that_is_damaged_loses_its_own_rows_alone(tmp_path):
    frame = pl.DataFrame({"url": [f"{A}?{i}" for i in range(40)], "n": range(40)})
    pq.write_table(
        frame.to_arrow(), tmp_path / "a.parquet", row_group_size=10, compression="none", use_dictionary=False
    )
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    start = pq.read_metadata(tmp_path / "a.parquet").row_group(1).column(0).data_page_offset
    data[start : start + 12] = b"\xff" * 12
    (tmp_path / "a.parquet").write_bytes(data)
    (tmp_path / "b.parquet").write_bytes(b"no parquet")
    pl.DataFrame({"url": [B]}).write_parquet(tmp_path / "c.parquet")
    lost = {str(i): ("read", "unreadable_row_group") for i in range(10, 20)}
    assert ledger_of(tmp_path) == lost | {"": ("read", "unreadable_file")}
    rows = chunks_of(tmp_path)
    assert rows["url"].to_list() == [f"{A}?{i}" for i in (*range(10), *range(20, 40))] + [B]


def test_text_in_a_parquet_that_is_not_utf8_loses_its_row_alone(tmp_path):
    texts = pa.array([b"a", b"b", b"\xff", b"d"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"url": [A, B, A, B], "text": texts}), tmp_path / "a.parquet")
    assert ledger_of(tmp_path) == {"2": ("read", "caption_not_utf8")}
    assert chunks_of(tmp_path)["caption"].to_list() == ["a", "b", "d"]


def test_chunks_hold_rows_of_one_file_and_no_more_than_asked_for(tmp_path):
    for name, count in (("a", 7), ("b", 3), ("c", 0), ("d", 1)):
        schema = {"url": pl.String, "n": pl.Int64}
        pl.DataFrame([(A, i) for i in range(count)], schema=schema, orient="row").write_parquet(
            tmp_path / f"{name}.parquet"
        )
    urls = open_url_list(tmp_path)
    assert urls is not None
    parts = list(choose(urls, Options(where="n <> 1"), 3))
    sizes = [(part.file.shard.name, len(part.rows), len(part.ledger)) for part in parts]
    assert sizes == [("a", 3, 1), ("a", 3, 0), ("b", 2, 1), ("d", 1, 0)]
    assert [file.shard.name for file in urls.files] == ["a", "b", "c", "d"]


@given(st.text(alphabet=string.ascii_letters + "_", max_size=12), st.sampled_from(["", "list_", "list_list_"]))
def test_a_stored_column_has_its_own_name_again(name, prefix):
    assert given_name(stored_name(prefix + name)) == prefix + name
    for reserved in ("key", "url", "sha256", "width"):
        assert stored_name(reserved) != reserved
        assert given_name(stored_name(reserved)) == reserved


def test_columns_are_stored_as_json_can_have_them(tmp_path):
    row = {
        "url": A,
        "day": datetime.date(2024, 2, 29),
        "blob": b"\x00\xff",
        "deep": {"when": datetime.datetime(2024, 2, 29, 1)},
        "price": decimal.Decimal("1.25"),
        "box": [[0.5, 1.0]],
        "kind": "a",
    }
    frame = pl.DataFrame([row]).with_columns(pl.col("kind").cast(pl.Categorical))
    frame.write_parquet(tmp_path / "a.parquet")
    found = chunks_of(tmp_path).drop("chunk").row(0, named=True)
    assert json.loads(json.dumps(found)) == found
    assert found["day"] == "2024-02-29"
    assert found["blob"] == "AP8="
    assert json.loads(found["deep"])["deep"]["when"].startswith("2024-02-29")
    assert (found["price"], found["box"], found["kind"]) == (1.25, [[0.5, 1.0]], "a")


def test_a_list_is_read_from_wherever_it_lies():
    store = fsspec.filesystem("memory")
    file = io.BytesIO()
    pl.DataFrame({"URL": [A, B], "TEXT": ["a", "b"]}).write_parquet(file)
    store.pipe("/far/part-0.parquet", file.getvalue())
    store.pipe("/far/part-1.csv.gz", gzip.compress(f"URL,TEXT\n{B},c\n".encode()))
    assert chunks_of("memory://far")["caption"].to_list() == ["a", "b", "c"]
    assert chunks_of("memory://far/*.parquet")["caption"].to_list() == ["a", "b"]
