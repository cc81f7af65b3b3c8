"""Reading, measured: the reader against a bare loop, embedding against its parts, memory, and twenty kills.

    make bench

Every line that the project promises about reading is asserted here, and printed.
"""

import io
import json
import random
import signal
import subprocess
import sys
import tarfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import open_clip
import polars as pl
import pytest
import torch
from PIL import Image
from polars.testing import assert_frame_equal
from safetensors.torch import save_file

from scanner.fingerprints import Fingerprinter, SeenPictures, load_embedder
from scanner.samples import Sample, decode, open_dataset
from scanner.tables import ERRORS, SAMPLES, TABLES
from tests.benchmarks.test_demo import SCANNER, say
from tests.fingerprints.test_embed import PREPROCESS, TINY
from tests.samples.pictures import encode, photo_like
from tests.samples.test_webdataset import add

pytestmark = pytest.mark.bench
KILLS = 20


def write_shards(folder: Path, pictures: list[bytes], shards: int, rows: int) -> list[Path]:
    """Tars as img2dataset writes them: image, caption and metadata of each row."""
    folder.mkdir(parents=True)
    for shard in range(shards):
        with tarfile.open(folder / f"{shard:05d}.tar", "w") as tar:
            for row in range(rows):
                key = f"{shard:05d}{row:04d}"
                fields = {"url": f"https://example.org/{key}.jpg", "key": key, "status": "success", "similarity": 0.31}
                add(tar, f"{key}.jpg", pictures[(shard * rows + row) % len(pictures)])
                add(tar, f"{key}.txt", f"picture {key}".encode())
                add(tar, f"{key}.json", json.dumps(fields).encode())
    return sorted(folder.glob("*.tar"))


@pytest.fixture(scope="module")
def photos() -> list[bytes]:
    """64 pictures of 256 × 256, JPEG, 22 KB on average."""
    return [encode(photo_like(seed, 256, 256), "JPEG", quality=90) for seed in range(64)]


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real open_clip model of a few thousand weights: what is measured is not the model."""
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    save_file(open_clip.CLIP(**TINY).state_dict(), folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY, "preprocess_cfg": PREPROCESS}))
    return folder


def bare_loop(tar: Path) -> int:
    """What a script would do: every member read with tarfile, every image decoded with PIL."""
    images = 0
    with tarfile.open(tar) as file:
        for member in file:
            content = file.extractfile(member).read()
            if member.name.endswith(".jpg"):
                np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
                images += 1
    return images


def reader(tar: Path) -> int:
    """The same through the scanner's reader, with its captions, urls, keys, fields and checks."""
    dataset = open_dataset(tar)
    return sum(decode(item.encoded).size > 0 for item in dataset.read(dataset.shards[0]) if isinstance(item, Sample))


@pytest.mark.parametrize("side", [64, 256])
def test_the_reader_delivers_four_fifths_of_a_bare_loop(tmp_path, side):
    pictures = [encode(photo_like(seed, side, side), "JPEG", quality=90) for seed in range(64)]
    tars = write_shards(tmp_path / "set", pictures, shards=4, rows=2000 if side == 64 else 1000)
    rates: dict[str, list[float]] = {"bare_loop": [], "reader": []}
    with ProcessPoolExecutor(2) as pool:
        for _ in range(6):  # the first round warms up both
            for work in (bare_loop, reader):
                began = time.perf_counter()
                images = sum(pool.map(work, tars))
                rates[work.__name__].append(images / (time.perf_counter() - began))
    bare, ours = (float(np.median(found[1:])) for found in rates.values())
    print()
    say(f"bare tarfile + PIL on two processes, {side} px, images/s", f"{bare:,.0f}")
    say(f"the reader on two processes, {side} px, images/s", f"{ours:,.0f}")
    say("ratio (at least 0.80)", f"{ours / bare:.2f}")
    assert ours / bare >= 0.80


def test_embedding_takes_little_more_than_its_parts(tmp_path, photos):
    distinct = [encode(photo_like(seed, 256, 256), "JPEG", quality=90) for seed in range(640)]
    (tar,) = write_shards(tmp_path / "set", distinct, shards=1, rows=len(distinct))
    embedder, dataset = load_embedder("demo"), open_dataset(tar)
    batch = torch.stack([embedder.prepare(decode(photo)) for photo in photos[: embedder.batch]])
    times: dict[str, list[float]] = {"decode": [], "forward": [], "ours": []}
    for trial in range(4):
        began = time.perf_counter()
        assert bare_loop(tar) == len(distinct)
        times["decode"].append(time.perf_counter() - began)
        began = time.perf_counter()
        with torch.inference_mode():
            for _ in range(len(distinct) // embedder.batch):
                embedder._network.encode_image(batch)
        times["forward"].append(time.perf_counter() - began)
        began = time.perf_counter()
        stage = Fingerprinter(embedder, SeenPictures(tmp_path / f"run{trial}"))
        rows = sum(len(block.samples) for block in stage(dataset, dataset.shards[0]))
        times["ours"].append(time.perf_counter() - began)
        assert rows == len(distinct)
    decoding, forward, ours = (float(np.median(found[1:])) for found in times.values())
    print()
    say("decode alone + bare open_clip forward alone, seconds", f"{decoding:.2f} + {forward:.2f}")
    say("the scanner's stage: decode, hashes, thumbnails, embedding", f"{ours:.2f}")
    say("ratio (at most 1.10)", f"{ours / (decoding + forward):.2f}")
    assert ours <= 1.10 * (decoding + forward)


MEASURE = """
import sys
from pathlib import Path
from scanner.fingerprints import Fingerprinter, SeenPictures, load_embedder, write_shard
from scanner.samples import open_dataset

def gigabytes(name):  # of /proc: what getrusage gives includes the process that started this one
    line = next(line for line in open("/proc/self/status") if line.startswith(name))
    return int(line.split()[1]) / 2**20
embedder = load_embedder("local-dir:" + sys.argv[1])
dataset, run = open_dataset(sys.argv[2]), Path(sys.argv[3])
before = gigabytes("VmRSS")
for shard in dataset.shards:
    write_shard(run, shard, Fingerprinter(embedder, SeenPictures(run))(dataset, shard))
print(before, gigabytes("VmHWM"))
"""


@pytest.mark.parametrize("shards", [10, 1])
def test_streaming_a_hundred_thousand_images_takes_little_memory(tmp_path, tiny_model, shards):
    rng = np.random.default_rng(0)
    noise = [encode(rng.integers(0, 256, (32, 32, 3), np.uint8), "JPEG") for _ in range(100_000)]
    write_shards(tmp_path / "set", noise, shards, rows=100_000 // shards)
    del noise
    arguments = [sys.executable, "-c", MEASURE, str(tiny_model), str(tmp_path / "set"), str(tmp_path / "run")]
    before, peak = map(float, subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.split())
    print()
    say(f"100,000 images in {shards} shard(s): GiB above the model (at most 1)", f"{peak - before:.2f}")
    assert SAMPLES.scan(tmp_path / "run").select(pl.len()).collect().item() == 100_000
    assert peak - before <= 1.0


def test_a_run_killed_at_twenty_random_moments_ends_with_the_same_tables(tmp_path, tiny_model, photos):
    write_shards(tmp_path / "set", photos, shards=12, rows=150)
    (tmp_path / "set" / "00003.tar").write_bytes((tmp_path / "set" / "00003.tar").read_bytes()[:500_000])
    command = [*SCANNER, "audit", str(tmp_path / "set"), "--model", f"local-dir:{tiny_model}", "--out"]
    began = time.monotonic()
    subprocess.run([*command, str(tmp_path / "calm")], check=True, capture_output=True)
    seconds, kills, finished, rng = time.monotonic() - began, 0, 0, random.Random(7)
    while kills < KILLS:
        run = tmp_path / f"disturbed{finished}"
        process = subprocess.Popen([*command, str(run)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            process.wait(rng.uniform(0.2, 0.9) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        _, said = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), said.decode()
        finished += process.returncode == 0
    subprocess.run([*command, str(tmp_path / f"disturbed{finished}")], check=True, capture_output=True)
    print()
    say("killed while running, times; runs that ended meanwhile", f"{kills}; {finished + 1}")
    assert ERRORS.read(tmp_path / "calm").height > 0
    for i in range(finished + 1):
        for table in TABLES.values():
            assert_frame_equal(table.read(tmp_path / "calm"), table.read(tmp_path / f"disturbed{i}"))
        ours, calm = (sorted((tmp_path / run / "embeddings").glob("*.npy")) for run in (f"disturbed{i}", "calm"))
        assert [path.read_bytes() for path in ours] == [path.read_bytes() for path in calm]
