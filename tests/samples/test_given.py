"""Embeddings given beside images: each row gets its own and no other's."""

import numpy as np
import pytest

from scanner.errors import UnusableInputError
from scanner.samples import Failure, GivenEmbeddings, Sample, WithEmbeddings, open_dataset, open_embeddings
from tests.samples.embedded import names, unit, write_clip_retrieval, write_datacomp
from tests.samples.pictures import encode, photo_like


def folder_of(path, *keys: str):
    """A folder of one picture per key."""
    for number, key in enumerate(keys):
        file = path / f"{key}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(photo_like(number, 20, 30)))
    return open_dataset(path)


def given(dataset, embeddings) -> tuple[dict[str, np.ndarray | None], list[tuple[str, str]]]:
    """Embeddings by shard and key, and the remarks."""
    attached = WithEmbeddings(dataset=dataset, given=GivenEmbeddings(open_embeddings(embeddings)))
    items = [item for shard in attached.shards for item in attached.read(shard)]
    samples = {f"{item.shard}/{item.key}": item.embedding for item in items if isinstance(item, Sample)}
    failures = [(item.reason, item.message) for item in items if isinstance(item, Failure)]
    assert len(samples) + len(failures) == len(items)
    return samples, failures


def test_rows_are_found_by_key_in_any_order_and_part(tmp_path):
    order = np.random.default_rng(1).permutation(40)
    vectors = unit(40)
    rows = names(40)
    shuffled = {name: [values[i] for i in order] for name, values in rows.items()}
    parts = [
        (vectors[order[:15]], {name: values[:15] for name, values in shuffled.items()}),
        (vectors[order[15:]], {name: values[15:] for name, values in shuffled.items()}),
    ]
    embeddings = write_clip_retrieval(tmp_path / "embeddings", parts, 2)
    samples, remarks = given(folder_of(tmp_path / "data", *rows["key"]), embeddings)
    assert remarks == []
    assert all(np.array_equal(samples[f"./{key}"], vectors[i]) for i, key in enumerate(rows["key"]))


def test_without_keys_the_last_part_of_the_path_counts(tmp_path):
    rows = {"image_path": ["/data/photos/cat.jpg", "photos/dog.v2.PNG", "sub/000000012"]}
    embeddings = write_clip_retrieval(tmp_path / "embeddings", [(unit(3), rows)], 1)
    samples, remarks = given(folder_of(tmp_path / "data", "cat", "dog.v2", "sub/000000012"), embeddings)
    assert remarks == []
    for key, vector in zip(("./cat", "./dog.v2", "sub/000000012"), unit(3), strict=True):
        assert np.array_equal(samples[key], vector)


def test_a_key_that_two_embeddings_have_is_given_to_no_row(tmp_path):
    rows = {"image_path": ["a/1.jpg", "b/1.jpg", "2.jpg"]}
    embeddings = write_clip_retrieval(tmp_path / "embeddings", [(unit(3), rows)], 1)
    samples, remarks = given(folder_of(tmp_path / "data", "a/1", "2"), embeddings)
    assert samples["a/1"] is None
    assert np.array_equal(samples["./2"], unit(3)[2])
    assert [reason for reason, _ in remarks] == ["no_embedding_given"]
    found = GivenEmbeddings(open_embeddings(embeddings))
    assert (found.rows, found.ambiguous, found.width) == (3, 2, 32)


def test_rows_without_an_embedding_or_with_one_of_no_use_are_remarked_on(tmp_path):
    vectors = unit(4)
    vectors[1] = np.nan
    vectors[3] *= 4
    embeddings = write_clip_retrieval(tmp_path / "embeddings", [(vectors, names(4))], 1)
    samples, remarks = given(folder_of(tmp_path / "data", *names(6)["key"]), embeddings)
    assert [key for key, vector in samples.items() if vector is None] == [f"./{i:09d}" for i in (1, 4, 5)]
    assert np.array_equal(samples["./000000002"], vectors[2])
    assert np.linalg.norm(samples["./000000003"].astype(float)) == pytest.approx(1, abs=1e-3)
    assert [reason for reason, _ in remarks] == ["not_unit_length", "no_embedding_given"]
    assert "For 3 of 6 rows" in remarks[1][1]


def test_datacomps_uid_is_looked_for_among_a_rows_columns(tmp_path):
    uids = [f"{i:031x}f" for i in range(3)]
    arrays = {"l14_img": unit(3, 12), "b32_img": unit(3, 8)}
    write_datacomp(tmp_path / "pool", "part", arrays, {"uid": uids, "text": ["x"] * 3})
    dataset = tmp_path / "data"
    folder_of(dataset, "000000000", "000000001", "000000002")
    (dataset / "metadata.csv").write_text(
        "file_name,uid\n" + "".join(f"00000000{i}.png,{uids[2 - i]}\n" for i in range(3))
    )
    samples, remarks = given(open_dataset(dataset), tmp_path / "pool")
    assert remarks == []
    assert all(np.array_equal(samples[f"./00000000{i}"], unit(3, 12)[2 - i]) for i in range(3))


def test_embeddings_without_keys_and_what_is_no_embeddings_are_refused(tmp_path):
    embeddings = write_clip_retrieval(tmp_path / "embeddings", [(unit(2), {"caption": ["x", "y"]})], 1)
    with pytest.raises(UnusableInputError, match=r"metadata_0.parquet has neither keys nor paths of images"):
        GivenEmbeddings(open_embeddings(embeddings))
    folder_of(tmp_path / "data", "a")
    with pytest.raises(UnusableInputError, match="holds no embeddings; looked for clip-retrieval's output"):
        open_embeddings(tmp_path / "data")
    with pytest.raises(UnusableInputError, match="does not exist"):
        open_embeddings(tmp_path / "nowhere")


def test_a_cut_file_gives_what_it_has(tmp_path):
    embeddings = write_clip_retrieval(tmp_path / "embeddings", [(unit(3000), names(3000))], 1)
    file = embeddings / "img_emb" / "img_emb_0.npy"
    file.write_bytes(file.read_bytes()[: 128 + 2500 * 64])
    keys = [names(3000)["key"][i] for i in (0, 2499, 2500, 2999)]
    samples, remarks = given(folder_of(tmp_path / "data", *keys), embeddings)
    assert [vector is None for vector in samples.values()] == [False, False, True, True]
    assert np.array_equal(samples["./000002499"], unit(3000)[2499])
    assert [reason for reason, _ in remarks] == ["no_embedding_given"]
