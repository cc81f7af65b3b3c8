"""The spot check: the model's own embeddings pass, any others do not."""

import numpy as np
import pytest

from scanner.errors import UnusableInputError
from scanner.fingerprints import check_embeddings, load_embedder
from scanner.samples import GivenEmbeddings, Sample, WithEmbeddings, decode, open_dataset, open_embeddings
from tests.samples.embedded import write_clip_retrieval
from tests.samples.pictures import encode, photo_like

COUNT = 40


@pytest.fixture(scope="module")
def embedder():
    return load_embedder("demo")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two folders of twenty pictures each; the first file of each is broken."""
    root = tmp_path_factory.mktemp("data")
    for number in range(COUNT):
        file = root / f"{number // 20}" / f"{number:09d}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"broken" if number % 20 == 0 else encode(photo_like(number, 40, 60)))
    return open_dataset(root)


@pytest.fixture(scope="module")
def own(data, embedder):
    """Keys and the model's own embeddings."""
    items = [item for shard in data.shards for item in data.read(shard)]
    samples = [item for item in items if isinstance(item, Sample) and item.encoded != b"broken"]
    return [sample.key for sample in samples], embedder([decode(sample.encoded) for sample in samples])


def attach(tmp_path, data, keys, vectors) -> WithEmbeddings:
    folder = write_clip_retrieval(tmp_path / "embeddings", [(vectors, {"image_path": keys})], 1)
    return WithEmbeddings(dataset=data, given=GivenEmbeddings(open_embeddings(folder)))


def test_the_models_own_embeddings_pass(tmp_path, data, own, embedder):
    found = check_embeddings(attach(tmp_path, data, *own), embedder)
    # of 19 usable rows in each folder numbers 1, 2, 3, 5, 9 and 17: further and further apart
    assert (found.checked, found.given, found.ambiguous) == (12, COUNT - 2, 0)
    assert found.worst > 0.9999


def test_rounding_as_of_another_arithmetic_passes(tmp_path, data, own, embedder):
    keys, vectors = own
    noise = np.random.default_rng(0).normal(0, 0.1 / np.sqrt(vectors.shape[1]), vectors.shape)
    found = check_embeddings(attach(tmp_path, data, keys, (vectors + noise).astype(np.float32)), embedder)
    assert 0.98 < found.worst < 0.999


def test_rows_that_are_shifted_by_one_are_refused_with_the_worst_row(tmp_path, data, own, embedder):
    keys, vectors = own
    with pytest.raises(UnusableInputError, match=r"row 0000000\d\d of [01] has a cosine of 0\.\d\d\d to its own"):
        check_embeddings(attach(tmp_path, data, keys, np.roll(vectors, 1, axis=0)), embedder)


def test_one_wrong_row_among_the_checked_is_enough(tmp_path, data, own, embedder):
    keys, vectors = own
    spoilt = vectors.copy()
    spoilt[2] = vectors[30]
    with pytest.raises(UnusableInputError, match=f"row {keys[2]} of 0 "):
        check_embeddings(attach(tmp_path, data, keys, spoilt), embedder)


def test_another_width_names_both(tmp_path, data, own, embedder):
    keys, vectors = own
    with pytest.raises(UnusableInputError, match=r"512 wide, and demo makes them 1,280 wide; .*--model"):
        check_embeddings(attach(tmp_path, data, keys, vectors[:, :512]), embedder)


def test_embeddings_of_another_data_set_are_refused(tmp_path, data, own, embedder):
    _, vectors = own
    keys = [f"other-{i}" for i in range(len(vectors))]
    with pytest.raises(UnusableInputError, match="None of the first rows of the data set has an embedding"):
        check_embeddings(attach(tmp_path, data, keys, vectors), embedder)
