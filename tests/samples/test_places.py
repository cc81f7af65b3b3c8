"""One data set, read from wherever it lies: the same rows from disk, memory, an S3 server and an HTTP server."""

import functools
import http.server
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UnusableInputError
from scanner.samples import Sample, StoredImages, open_dataset
from scanner.samples._place import common_root, expand, place, relative
from tests.samples.pictures import encode, photo_like
from tests.samples.test_webdataset import add, write_parquet

IMAGES = [encode(photo_like(seed, 20, 30)) for seed in range(6)]


def members_of(shard: int) -> list[tuple[str, bytes]]:
    first = 3 * shard
    pairs = [(f"{first + i:03d}.png", f"{first + i:03d}.txt", IMAGES[first + i]) for i in range(3)]
    members = [member for image, text, bytes_ in pairs for member in ((image, bytes_), (text, f"no {image}".encode()))]
    return [*members[:-2], (members[-2][0], b"not an image"), members[-1]]


def tar_bytes(members: list[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in members:
            add(tar, name, content)
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of three rows, one of them with a parquet that knows a failed download."""
    folder = tmp_path_factory.mktemp("set") / "a set"
    folder.mkdir()
    for shard in range(2):
        (folder / f"{shard:05d}.tar").write_bytes(tar_bytes(members_of(shard)))
    lost = {"key": "009", "status": "failed_to_download", "error_message": "HTTP Error 404: Not Found"}
    write_parquet(folder / "00001.parquet", [lost])
    return folder


def rows_of(where: str) -> list[tuple[str, ...]]:
    """Everything that a reader gives, and each image read again where the sample says it lies."""
    dataset = open_dataset(where)
    images = StoredImages(str(dataset.root))
    rows: list[tuple[str, ...]] = []
    for shard in dataset.shards:
        for item in dataset.read(shard):
            if isinstance(item, Sample):
                assert images(item.file, item.offset, len(item.encoded)) == item.encoded
                rows.append((item.shard, item.key, item.caption, item.encoded.hex()))
            else:
                rows.append((item.shard, item.key, item.stage, item.reason))
    return rows


@pytest.fixture(scope="module")
def expected(folder: Path) -> list[tuple[str, ...]]:
    rows = rows_of(str(folder))
    assert len(rows) == 7
    assert ("00001", "009", "download", "failed_to_download") in rows
    return rows


@pytest.fixture(scope="module")
def http_address(folder: Path) -> Iterator[str]:
    """A server on the loopback that answers range requests, as a store's front does."""
    handler = functools.partial(_Ranges, directory=str(folder.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/a%20set"
        server.shutdown()


class _Ranges(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        wanted, path = self.headers.get("Range"), Path(self.translate_path(self.path))
        if wanted is None or not path.is_file():
            super().do_GET()
            return
        start, _, end = wanted.removeprefix("bytes=").partition("-")
        content = path.read_bytes()
        part = content[int(start) : int(end) + 1 if end else None]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {start}-{int(start) + len(part) - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(part)

    def end_headers(self) -> None:
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()


@pytest.fixture(scope="module")
def bucket(folder: Path) -> Iterator[str]:
    """An S3 server on the loopback (moto), with the set in a bucket."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # the loopback server takes any
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        store = fsspec.filesystem("s3", skip_instance_cache=True)
        store.mkdir("laion")
        for file in sorted(folder.iterdir()):
            store.pipe_file(f"laion/a set/{file.name}", file.read_bytes())
        yield "s3://laion/a set"
    server.stop()


@pytest.fixture
def memory(folder: Path) -> Iterator[str]:
    store = fsspec.filesystem("memory")
    for file in sorted(folder.iterdir()):
        store.pipe_file(f"/a set/{file.name}", file.read_bytes())
    yield "memory://a set"
    store.rm("/a set", recursive=True)


def test_a_folder_in_memory_gives_the_same_rows(memory, expected):
    assert rows_of(memory) == expected


@pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore", "ignore::ResourceWarning")
def test_an_s3_bucket_gives_the_same_rows(bucket, expected):
    assert rows_of(bucket) == expected
    assert rows_of(f"{bucket}/0000*.tar") == expected
    assert rows_of(bucket + "/{00000..00001}.tar") == expected
    with pytest.raises(UnusableInputError, match="does not exist"):
        open_dataset("s3://nobody-has-this-bucket/laion")


def test_http_addresses_in_a_brace_range_give_the_same_rows(http_address, expected):
    assert rows_of(http_address + "/{00000..00001}.tar") == expected
    with pytest.raises(UnusableInputError, match=r"00002\.tar does not exist"):
        open_dataset(http_address + "/{00000..00002}.tar")


def test_a_remote_shard_leaves_nothing_on_disk(memory, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert rows_of(memory) == expected
    assert list(tmp_path.iterdir()) == []


def test_wildcards_and_brace_ranges_stand_for_local_files(folder, expected):
    assert rows_of(f"{folder}/*.tar") == expected
    assert rows_of(f"{folder}/0000[01].tar") == expected
    assert rows_of(f"{folder}/{{00000..00001}}.tar") == expected
    assert rows_of(f"{folder.parent}/**/*.tar") == expected
    one = open_dataset(f"{folder}/{{00001..00001}}.tar")
    assert [shard.name for shard in one.shards] == ["00001"]
    with pytest.raises(UnusableInputError, match="Nothing matches"):
        open_dataset(f"{folder}/1*.tar")
    with pytest.raises(UnusableInputError, match=r"00002\.tar does not exist"):
        open_dataset(f"{folder}/{{00000..00002}}.tar")


def test_a_name_with_braces_and_wildcards_that_exists_is_itself(tmp_path):
    strange = tmp_path / "{0..1}*[x].tar"
    strange.write_bytes(tar_bytes(members_of(0)))
    assert [shard.name for shard in open_dataset(str(strange)).shards] == ["{0..1}*[x]"]


def test_shards_of_several_folders_keep_their_folders_in_their_names(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.tar").write_bytes(tar_bytes(members_of(0)))
    dataset = open_dataset(f"{tmp_path}/{{a,b}}/0.tar")
    assert [shard.name for shard in dataset.shards] == ["a/0", "b/0"]
    assert Path(str(dataset.root)) == tmp_path


def test_a_remote_tar_whose_rows_are_scattered_says_so():
    members = sorted(members_of(0), key=lambda member: member[0].endswith("txt"))
    store = fsspec.filesystem("memory")
    store.pipe_file("/scattered/0.tar", tar_bytes(members))
    rows = rows_of("memory://scattered")
    store.rm("/scattered", recursive=True)
    assert [row[:3] for row in rows[:3]] == [("0", f"00{i}", None) for i in range(3)]
    assert rows[3:] == [("0", "", "read", "scattered_members")] * 3


def test_a_changed_remote_shard_has_another_fingerprint(memory):
    first = [shard.fingerprint for shard in open_dataset(memory).shards]
    assert [shard.fingerprint for shard in open_dataset(memory).shards] == first
    fsspec.filesystem("memory").pipe_file("/a set/00001.tar", tar_bytes(members_of(0)))
    again = [shard.fingerprint for shard in open_dataset(memory).shards]
    assert (again[0] == first[0], again[1] == first[1]) == (True, False)


def test_an_unknown_protocol_and_a_missing_package_are_one_sentence():
    with pytest.raises(UnusableInputError, match="can't be opened"):
        open_dataset("gopher://host/laion")
    with pytest.raises(UnusableInputError, match="gcsfs"):
        open_dataset("gs://bucket/laion")


@given(folders=st.lists(st.lists(st.sampled_from(["a", "b", "a b"]), max_size=3), min_size=1, max_size=4))
def test_every_place_is_below_the_common_root(folders):
    for start in ("/data", "memory://data"):
        places = [place("/".join([start, *names, "x.tar"])) for names in folders]
        root = common_root(places)
        assert str(root).startswith(start)
        for where in places:
            assert str(root / relative(where, root)) == str(where)


def test_expanding_a_range_keeps_its_order_and_its_zeros():
    assert [str(where) for where in expand("/s/{008..011}.tar")] == [f"/s/{i:03d}.tar" for i in range(8, 12)]


def test_the_folder_that_one_stands_in_is_read_like_any_other(folder, expected, monkeypatch):
    monkeypatch.chdir(folder)
    assert rows_of(".") == expected
    assert rows_of("*.tar") == expected
    assert [shard.name for shard in open_dataset("00001.tar").shards] == ["00001"]


def test_a_folder_of_images_is_read_once_from_within(tmp_path, monkeypatch):
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(IMAGES[i])
    (tmp_path / "metadata.csv").write_text("file_name,text\n0.png,zero\n1.png,one\n2.png,two\n")
    monkeypatch.chdir(tmp_path)
    assert [row[:3] for row in rows_of(".")] == [(".", "0", "zero"), (".", "1", "one"), (".", "2", "two")]


def test_a_file_that_is_named_twice_is_read_once(folder, expected):
    assert rows_of(f"{folder}/{{00000,*}}.tar") == expected


class _Failing:
    """A connection that is lost after so many bytes."""

    def __init__(self, file, after: int) -> None:
        self._file, self._left = file, after

    def read(self, size: int = -1) -> bytes:
        self._left -= max(size, 0)
        if self._left < 0:
            raise OSError("connection reset by peer")
        return self._file.read(size)

    def __getattr__(self, name: str):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_a_lost_connection_is_no_end_of_the_tar(memory, monkeypatch):
    opened = fsspec.filesystem("memory").open
    monkeypatch.setattr(
        "fsspec.implementations.memory.MemoryFileSystem.open",
        lambda _, path, *_args, **_more: _Failing(opened(path, "rb"), 3000),
    )
    dataset = open_dataset(memory)
    with pytest.raises(OSError, match="connection reset"):
        list(dataset.read(dataset.shards[0]))


def test_a_server_that_does_not_answer_is_named_as_the_reason():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/0.tar"
    with pytest.raises(UnusableInputError, match=r"does not exist \(Cannot connect to host 127\.0\.0\.1"):
        open_dataset(address)
