"""Data sets of embeddings from end to end: audited without a picture or a model, attacked where images are at hand, and
embeddings used that somebody made before."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from embedding_reader import EmbeddingReader
from polars.testing import assert_frame_equal

from pipelines.attack import attack
from pipelines.audit import audit
from pipelines.cli import app, exit_code_of
from pipelines.configs import AttackOptions, AuditConfig
from pipelines.embedding import open_source
from pipelines.engines import LocalEngine
from pipelines.report import report
from scanner.demo import target_folder
from scanner.errors import UnusableInputError
from scanner.fingerprints import load_embedder
from scanner.images import fetched_places, images_of
from scanner.run import Run
from scanner.samples import OWN_MODEL, Sample, StoredImages, decode, open_dataset
from scanner.tables import ERRORS, GROUPS, HITS, MEMBERS, PAIRS, PROMPTS, SAMPLES, SHARDS
from tests.pipelines.conftest import AUDIT
from tests.pipelines.image_server import ImageServer, image_server, picture
from tests.samples.embedded import names, turned, unit, write_clip_retrieval, write_datacomp
from tests.samples.pictures import encode, photo_like

CONFIG = AuditConfig(control=10)
QUICK = AttackOptions(
    fetch=False,
    prompts=2,
    control=6,
    seeds=2,
    steps=2,
    search_steps="2",
    evidence=2,
    rate=0.95,
    triage="none",
    guidance=3,
)


def planted() -> tuple[np.ndarray, dict[str, list[object]]]:
    """90 rows: five of one vector, three of another, a near copy, a pair that is not near enough, and two bad rows."""
    vectors, rows = unit(90, 64), names(90)
    for copy in (20, 40, 60, 80):
        vectors[copy] = vectors[0]
    vectors[61] = vectors[81] = vectors[1]
    vectors[62] = turned(vectors[2], 0.97)
    vectors[63] = turned(vectors[3], 0.93)
    vectors[50], vectors[70] = np.nan, 0
    for row in (0, 20, 40, 60, 80):
        rows["caption"][row] = "a lighthouse at dusk"
    return vectors, rows


def parts(vectors: np.ndarray, rows: Mapping[str, list[object]], size: int):
    return [
        (vectors[at : at + size], {name: values[at : at + size] for name, values in rows.items()})
        for at in range(0, len(vectors), size)
    ]


@pytest.fixture(scope="module")
def laion(tmp_path_factory):
    return write_clip_retrieval(tmp_path_factory.mktemp("laion") / "data", parts(*planted(), 30), 3)


@pytest.fixture(scope="module")
def blind_run(laion, tmp_path_factory) -> Run:
    return audit(laion, tmp_path_factory.mktemp("run") / "run", CONFIG, LocalEngine())


def groups(run: Run) -> list[list[str]]:
    found = run.read(MEMBERS).join(run.read(SAMPLES), on="sample_id")
    return sorted(sorted(part) for part in found.group_by("group_id").agg("key")["key"])


def test_planted_duplicate_vectors_are_the_groups(blind_run):
    key = [f"{row:09d}" for row in range(90)]
    assert groups(blind_run) == [
        [key[row] for row in (0, 20, 40, 60, 80)],
        [key[row] for row in (1, 61, 81)],
        [key[row] for row in (2, 62)],
    ]
    assert blind_run.read(GROUPS).select("copies", "distinct_images").rows() == [(5, 1), (3, 1), (2, 2)]
    assert blind_run.read(PAIRS)["look"].to_list() == ["similarity"]


def test_every_row_is_a_sample_without_a_picture_or_a_failure(blind_run):
    samples, errors = blind_run.read(SAMPLES), blind_run.read(ERRORS)
    assert len(samples) + len(errors) == 90
    assert errors.select("key", "stage", "reason").rows() == [
        ("000000050", "read", "bad_embedding"),
        ("000000070", "read", "bad_embedding"),
    ]
    pictures = ("width", "height", "file_sha256", "pixel_sha256", "phash", "thumbnail", "file", "length")
    assert samples.select(pl.col(pictures).null_count()).row(0) == (88,) * len(pictures)
    assert blind_run.read(SHARDS)["rows_in"].to_list() == [30, 30, 30]
    assert samples["caption"][20] == "a lighthouse at dusk"


def test_the_runs_embeddings_are_read_back_equal_by_embedding_reader(blind_run):
    reader = EmbeddingReader(str(blind_run.path / "embeddings"), file_format="npy")
    assert (reader.count, reader.dimension) == (88, 64)
    read = np.concatenate([vectors for vectors, _ in reader(batch_size=17, show_progress=False)])
    vectors = planted()[0]
    assert np.array_equal(read, np.delete(vectors, [50, 70], axis=0))


def test_the_run_says_that_the_embeddings_are_the_data_sets_own(blind_run):
    assert (blind_run.config["model"], blind_run.config["pretrained"]) == (OWN_MODEL, None)
    assert blind_run.config["own_embeddings"] == "img_emb, 64 wide"
    assert len(blind_run.config["model_checksum"]) == 64
    summary = blind_run.manifest()["parts"]["audit"]
    assert (summary["look"], summary["cosine"], summary["distinct"]) == ("similarity", 0.95, 82)


def test_the_report_says_that_no_picture_was_looked_at_and_what_decided(blind_run):
    page = report(blind_run).read_text(encoding="utf-8")
    found = json.loads((blind_run.path / "report" / "report.json").read_text())
    assert found["headline"] == "10 of 88 rows have near-equal embeddings, in 3 groups."
    decided = "No picture was looked at: a cosine of 0.95 or more of the data set's own embeddings decided"
    assert decided in found["summary"]
    assert any(decided in line for line in found["limits"])
    assert "<b>No picture was looked at.</b>" in page
    assert "2 different embeddings" in page
    assert "data:image/webp" not in page
    assert (found["duplicates"]["pictures"], found["duplicates"]["cosine"]) == (False, 0.95)
    assert all(check["passed"] for check in found["checks"])


def test_captions_of_the_groups_are_ranked(blind_run):
    prompts = blind_run.read(PROMPTS)
    first = prompts.filter(pl.col("arm") == "risk").sort("rank").row(0, named=True)
    assert (first["caption"], first["copies"]) == ("a lighthouse at dusk", 5)
    assert prompts.filter(pl.col("arm") == "control").height == CONFIG.control


def test_the_threshold_given_decides(laion, tmp_path):
    run = audit(laion, tmp_path / "run", AuditConfig(control=10, threshold=0.9), LocalEngine())
    assert ["000000003", "000000063"] in groups(run)
    assert run.manifest()["parts"]["audit"]["cosine"] == 0.9


def test_an_audit_that_is_given_again_changes_nothing(laion, blind_run):
    before = [(table, blind_run.read(table)) for table in (SAMPLES, MEMBERS, GROUPS, PROMPTS)]
    again = audit(laion, blind_run.path, CONFIG, LocalEngine())
    for table, frame in before:
        assert_frame_equal(again.read(table), frame)


def test_another_array_is_another_run(tmp_path):
    arrays = {"l14_img": unit(20, 12), "b32_img": unit(20, 8)}
    uids = [f"{i:032x}" for i in range(20)]
    data = write_datacomp(tmp_path / "pool", "part", arrays, {"uid": uids, "text": ["x"] * 20, "url": uids})
    run = audit(data, tmp_path / "run", CONFIG, LocalEngine())
    assert (run.config["layout"], run.config["own_embeddings"]) == ("datacomp", "l14_img, 12 wide")
    assert np.array_equal(np.load(run.path / "embeddings" / "00000.npy"), unit(20, 12))
    with pytest.raises(UnusableInputError, match=r"another configuration .*embedding_column.*model_checksum"):
        audit(data, tmp_path / "run", AuditConfig(control=10, embedding_column="b32_img"), LocalEngine())


@pytest.mark.parametrize("setting", [{"model": "demo"}, {"embeddings": "somewhere"}, {"pretrained": "laion2b"}])
def test_a_model_has_no_meaning_for_a_data_set_of_embeddings(laion, tmp_path, setting):
    with pytest.raises(
        UnusableInputError, match=r"one of embeddings \(img_emb, 64 wide\).*leave --embeddings, --model"
    ):
        audit(laion, tmp_path / "run", AuditConfig(**setting), LocalEngine())
    assert not (tmp_path / "run").exists()


def test_a_shard_without_a_usable_row_stops_nothing(tmp_path):
    vectors = unit(20, 16)
    vectors[10:] = np.nan
    data = write_clip_retrieval(tmp_path / "data", parts(vectors, names(20), 10), 2)
    run = audit(data, tmp_path / "run", CONFIG, LocalEngine())
    assert (run.read(SAMPLES).height, run.read(ERRORS).height) == (10, 10)
    assert np.load(run.path / "embeddings" / "00001.npy").shape == (0, 16)
    report(run)


def test_without_any_image_an_attack_is_refused_before_anything_is_written(blind_run, capsys):
    with pytest.raises(UnusableInputError, match=r"No row of .* has an image that can be had"):
        attack(blind_run, str(target_folder()), QUICK, LocalEngine())
    assert not (blind_run.path / "attack.json").exists()
    assert exit_code_of(app, ["attack", str(blind_run.path), "--target", str(target_folder()), "--no-fetch"]) == 2
    assert "verified against the images" in capsys.readouterr().err


def with_images(folder, pictures: Mapping[int, bytes]):
    """Planted rows of which some have their images in the data set's folder."""
    vectors, rows = planted()
    rows["image_path"] = [f"photos/{path}.png" for path in rows["image_path"]]
    data = write_clip_retrieval(folder, parts(vectors, rows, 45), 2)
    (data / "photos").mkdir()
    for row, content in pictures.items():
        (data / "photos" / f"{row:09d}.png").write_bytes(content)
    return data


def test_an_attack_is_verified_against_the_images_there_are_and_counts_the_others(tmp_path):
    pictures = {row: encode(photo_like(row, 64, 64)) for row in range(10)}
    pictures |= {30: b"no picture", 31: pictures[0]}
    run = audit(with_images(tmp_path / "data", pictures), tmp_path / "run", CONFIG, LocalEngine())
    samples = run.read(SAMPLES)
    assert samples["file"].is_not_null().sum() == 12
    assert samples["pixel_sha256"].null_count() == 88
    place = samples.filter(pl.col("key") == "000000003").select("file", "offset", "length").row(0)
    assert StoredImages(run.config["dataset"])(*place) == pictures[3]
    attack(run, str(target_folder()), QUICK, LocalEngine())
    assert run.manifest()["parts"]["attack"]["originals_missing"] == 88 - 11
    indexed = np.concatenate([np.load(part)["sample_id"] for part in sorted((run.path / "originals").glob("*.npz"))])
    keys = samples.filter(pl.col("sample_id").is_in(indexed.tolist()))["key"].to_list()
    assert keys == [f"{row:09d}" for row in (*range(10), 31)]
    assert run.read(HITS)["copy_similarity"].null_count() == run.read(HITS).height
    page = report(run).read_text(encoding="utf-8")
    assert "For 77 of 88 rows no image could be had" in page
    assert "data:image/webp" in page


def test_images_that_can_none_of_them_be_decoded_are_no_originals(tmp_path):
    run = audit(with_images(tmp_path / "data", {0: b"x", 50: b"y"}), tmp_path / "run", CONFIG, LocalEngine())
    with pytest.raises(UnusableInputError, match=r"No row of .* has an image that can be had"):
        attack(run, str(target_folder()), QUICK, LocalEngine())


@pytest.fixture(scope="module")
def fetched_run(tmp_path_factory) -> Iterator[tuple[Run, ImageServer]]:
    """An attacked run whose images were to be had by url only; the addresses of rows 1 to 19 are dead."""
    vectors, rows = planted()
    folder = tmp_path_factory.mktemp("fetched")
    with image_server() as server:
        rows["url"] = [server.url(f"good/{i}.jpg" if not 0 < i < 20 else f"gone/{i}.jpg") for i in range(len(vectors))]
        data = write_clip_retrieval(folder / "data", parts(vectors, rows, 45), 2)
        run = audit(data, folder / "run", CONFIG, LocalEngine())
        assert server.asked == []
        attack(run, str(target_folder()), replace(QUICK, fetch=True), LocalEngine())
        yield run, server


def test_originals_are_fetched_for_the_prompts_under_attack_only(fetched_run):
    run, server = fetched_run
    prompts = run.read(PROMPTS)
    attacked = pl.concat([prompts.filter(arm="risk").head(2), prompts.filter(arm="control").head(6)])
    samples = run.read(SAMPLES)
    groups = run.read(MEMBERS).join(attacked.drop_nulls("group_id").select("group_id"), on="group_id", how="semi")
    singles = attacked.filter(pl.col("group_id").is_null())["sample_id"].to_list()
    asked = {int(path.partition("/")[2].removesuffix(".jpg")) for path in server.asked}
    numbers = dict(samples.select(pl.col("key").cast(pl.Int64), "sample_id").iter_rows())
    rows = {numbers[key] for key in asked}
    assert set(singles) <= rows <= set(singles) | set(groups["sample_id"])
    by_group = groups.filter(pl.col("sample_id").is_in(rows)).group_by("group_id").len()["len"]
    assert sorted(by_group) == sorted(min(3, size) for size in groups.group_by("group_id").len()["len"])


def test_what_was_fetched_is_verified_against_shown_and_counted(fetched_run):
    run, server = fetched_run
    part = run.manifest()["parts"]["attack"]
    places = pl.read_parquet(fetched_places(run))
    good = {path for path in server.asked if path.startswith("good/")}
    assert part["originals_fetched"] == len(places) == len(good) > 0
    assert part["originals_missing"] == run.read(SAMPLES).height - len(places)
    urls = run.read(SAMPLES).join(places.select("sample_id"), on="sample_id")["url"].to_list()
    assert {url.partition("127.0.0.1:")[2].partition("/")[2] for url in urls} == good
    for sample, file, offset, length in places.iter_rows():
        url = run.read(SAMPLES).filter(sample_id=sample)["url"].item()
        wanted = picture(f"good/{url.rpartition('/')[2]}")
        assert images_of(run)(str(fetched_places(run).parent / file), offset, length) == wanted
    assert "data:image/webp" in report(run).read_text(encoding="utf-8")


def test_an_attack_that_is_given_again_fetches_nothing(fetched_run):
    run, server = fetched_run
    before, hits = list(server.asked), run.read(HITS)
    attack(run, str(target_folder()), replace(QUICK, fetch=True), LocalEngine())
    assert server.asked == before
    assert_frame_equal(run.read(HITS), hits)


@pytest.fixture(scope="module")
def own_embeddings(small_data):
    """Keys of the small data set, and the demo model's embeddings of them."""
    dataset = open_dataset(small_data)
    items = [item for shard in dataset.shards for item in dataset.read(shard) if isinstance(item, Sample)]
    return [item.key for item in items], load_embedder("demo")([decode(item.encoded) for item in items])


def test_embeddings_given_are_used_where_there_are_any_and_give_the_same_tables(
    small_data, small_run, own_embeddings, tmp_path
):
    keys, vectors = own_embeddings
    marked = vectors.copy()
    marked[90] = turned(vectors[90], 0.9)  # not among the rows of the spot check, so that its use can be seen
    half = [row for row in range(len(keys)) if row % 2 == 0]
    given = write_clip_retrieval(tmp_path / "given", [(marked[half], {"key": [keys[row] for row in half]})], 1)
    config = AuditConfig(model="demo", control=AUDIT.control, embeddings=str(given))
    run = audit(small_data, tmp_path / "run", config, LocalEngine())
    remarks = run.read(ERRORS).filter(pl.col("key") == "")
    assert remarks["reason"].to_list() == ["no_embedding_given"] * 3
    check = run.manifest()["parts"]["audit"]["given_embeddings"]
    assert (check["checked"], check["given"]) == (16, len(half))
    assert check["worst"] > 0.999
    samples = run.read(SAMPLES)
    assert_frame_equal(samples, small_run.read(SAMPLES))
    stored = np.concatenate([np.load(part) for part in sorted((run.path / "embeddings").glob("*.npy"))])
    row_of = {key: row for row, key in enumerate(keys)}
    expected = np.stack([(marked if row_of[key] % 2 == 0 else vectors)[row_of[key]] for key in samples["key"]])
    unlike = np.abs(stored.astype(np.float32) - expected.astype(np.float32)).max(axis=1)
    assert (unlike < 2e-3).all()
    assert np.array_equal(stored[samples["key"].to_list().index(keys[90])], marked[90])


def test_embeddings_that_change_stop_a_run_and_wrong_ones_never_begin_it(small_data, own_embeddings, tmp_path):
    keys, vectors = own_embeddings
    shifted = write_clip_retrieval(tmp_path / "wrong", [(np.roll(vectors, 5, axis=0), {"key": keys})], 1)
    with pytest.raises(UnusableInputError, match="are not those that demo makes of these images"):
        audit(small_data, tmp_path / "run", AuditConfig(model="demo", embeddings=str(shifted)), LocalEngine())
    assert not (tmp_path / "run").exists()
    good = write_clip_retrieval(tmp_path / "good", [(vectors, {"key": keys})], 1)
    config = AuditConfig(model="demo", limit=10, control=2, embeddings=str(good))
    audit(small_data, tmp_path / "run", config, LocalEngine())
    before = open_source(open_dataset(small_data), config).header(config)
    np.save(good / "img_emb" / "img_emb_0.npy", np.concatenate([vectors[:-1], vectors[:1]]))
    assert open_source(open_dataset(small_data), config).header(config) != before
    with pytest.raises(UnusableInputError, match="embeddings_state differ"):
        audit(small_data, tmp_path / "run", config, LocalEngine())
