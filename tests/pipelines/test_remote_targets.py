"""The attack from the command line on models that are not in this process: a hosted API, and images made elsewhere."""

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from pipelines.cli import app, exit_code_of
from scanner.images import image_places, images_of
from scanner.run import Run
from scanner.tables import CANDIDATES, GENERATIONS, HITS, PROMPTS
from tests.samples.pictures import encode, photo_like
from tests.targets.api.api_server import ApiServer, api_server

KEY = "sk-e2e-0123456789"
ATTACK = ("--prompts", "4", "--control", "12", "--seeds", "4", "--evidence", "4", "--compare-size", "64")
PARTS_OF_AN_ATTACK = (
    "attack.json",
    "triage.parquet",
    "candidates.parquet",
    "hits.parquet",
    "generations",
    "originals*",
)


@pytest.fixture
def audited(small_run: Run, tmp_path: Path) -> Run:
    """The audited cut, as if it had never been attacked."""
    shutil.copytree(small_run.path, tmp_path / "run", ignore=shutil.ignore_patterns(*PARTS_OF_AN_ATTACK))
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    manifest["parts"].pop("attack")
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    return Run.open(tmp_path / "run")


def memorising(run: Run) -> Callable[[str, int], bytes]:
    """A model that gives the original back for a risk caption, encoded anew each time, and else some picture."""
    rows = run.read(PROMPTS).filter(pl.col("arm") == "risk").join(image_places(run).collect(), on="sample_id")
    images = images_of(run)
    originals = {
        caption: Image.open(io.BytesIO(images(file, offset, length))).convert("RGB")
        for caption, file, offset, length in rows.select("caption", "file", "offset", "length").iter_rows()
    }

    def draw(prompt: str, before: int) -> bytes:
        if prompt in originals:
            return encode(originals[prompt], "JPEG", quality=70 + before % 25)
        return encode(photo_like(int(hashlib.sha256(f"{prompt}{before}".encode()).hexdigest()[:6], 16), 96, 80))

    return draw


def attack(run: Run, target: str, *more: str) -> int:
    return exit_code_of(app, ["attack", str(run.path), "--target", target, "--triage", "none", *ATTACK, *more])


def over_the_api(run: Run, api: ApiServer, *more: str) -> int:
    return attack(run, "openai:painter", "--api-url", api.url, *more)


def verdicts(run: Run, arm: str) -> list[str]:
    prompts = run.read(PROMPTS).filter(pl.col("arm") == arm).select("prompt_id")
    return run.read(HITS).join(prompts, on="prompt_id", how="semi")["verdict"].to_list()


def everything_written(run: Run) -> str:
    files = (file for file in run.path.rglob("*") if file.is_file() and file.suffix in {".json", ".html", ".parquet"})
    return "".join(file.read_bytes().decode("latin-1") for file in files)


def test_an_api_that_memorised_is_caught_and_its_budget_outlives_a_stop(
    audited: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTHER_KEY", KEY)
    limits = ("--api-key-env", "OTHER_KEY", "--api-price", "0.5")
    with api_server(memorising(audited)) as api:
        assert over_the_api(audited, api, *limits, "--api-max-requests", "30") == 1
        assert "the budget of the image api is used up (30 requests, 30 images)" in capsys.readouterr().err.lower()
        assert over_the_api(audited, api, *limits) == 0
    assert verdicts(audited, "risk") == ["matching"] * 4
    assert set(verdicts(audited, "control")) == {"none"}
    spent = audited.manifest()["parts"]["attack"]["target"]
    made = audited.read(GENERATIONS)
    assert (spent["requests"], spent["images"], spent["cost"]) == (made.height, made.height, made.height / 2)
    assert len(api.asked) == made.height  # nothing was asked for twice
    assert (made["evaluations"].sum(), made["steps"].null_count()) == (0, made.height)
    assert KEY not in everything_written(audited) + capsys.readouterr().out
    page = (audited.path / "report" / "index.html").read_text()
    assert "denoiser evaluations not known" in page
    assert "not known: they came from an API" in page
    assert exit_code_of(app, ["report", str(audited.path)]) == 0
    assert over_the_api(audited, api, *limits) == 0  # the server is gone, and nothing is left to ask it
    assert audited.manifest()["parts"]["attack"]["target"] == spent


def test_refused_prompts_are_counted_and_not_taken_for_safe(audited: Run) -> None:
    captions = audited.read(PROMPTS).filter(pl.col("arm") == "risk")["caption"].to_list()
    draw = memorising(audited)

    with api_server(lambda prompt, before: None if prompt == captions[0] else draw(prompt, before)) as api:
        assert over_the_api(audited, api) == 0
    prompts = audited.read(PROMPTS).filter(pl.col("caption") == captions[0]).select("prompt_id")
    refused = audited.read(CANDIDATES).join(prompts, on="prompt_id", how="semi")
    assert refused.select("generated", "decision", "miss_bound").rows() == [(0, "open", 1.0)]
    assert sorted(verdicts(audited, "risk")) == ["matching"] * 3 + ["none"]
    said = json.loads((audited.path / "report" / "report.json").read_text())
    assert said["lacking"] == [{"defect": "refused", "images": 4, "prompts": 1}]
    assert said["arms"][0]["tried"] == 3
    assert "4 refused, of 1 prompt" in " ".join(said["limits"])


def folder_of(run: Run, folder: Path, arms: tuple[str, ...], images: int) -> Path:
    """What the memorising model made elsewhere of the prompts of these arms, with its seeds."""
    folder.mkdir()
    draw, rows = memorising(run), []
    for prompt, caption in run.read(PROMPTS).filter(pl.col("arm").is_in(arms)).select("prompt_id", "caption").rows():
        for number in range(images):
            (folder / f"{prompt}-{number}.img.png").write_bytes(draw(caption, number))
            rows.append({"file_name": f"{prompt}-{number}.img.png", "prompt": caption.upper(), "seed": 100 - number})
    pl.DataFrame(rows).write_ndjson(folder / "metadata.jsonl")
    return folder


def test_images_made_elsewhere_are_attacked_as_they_are(audited: Run, tmp_path: Path) -> None:
    folder = folder_of(audited, tmp_path / "made", ("risk", "control"), images=3)
    assert attack(audited, str(folder)) == 0
    assert verdicts(audited, "risk") == ["matching"] * 4
    assert set(verdicts(audited, "control")) == {"none"}
    hits = audited.read(HITS).filter(pl.col("verdict") == "matching")
    assert (hits["seed"].is_between(98, 100).all(), hits["evidence"].to_list()) == (True, [2] * 4)
    assert audited.manifest()["parts"]["attack"]["target"]["images"] == 3 * audited.read(PROMPTS).height
    assert "not known: they came from an API" in (audited.path / "report" / "index.html").read_text()


def test_prompts_without_images_are_not_tried_and_a_set_without_any_is_refused(
    audited: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only_risk = folder_of(audited, tmp_path / "risk", ("risk",), images=2)
    assert attack(audited, str(only_risk)) == 2
    assert "of none of the 12 control prompts; thresholds are read off them" in capsys.readouterr().err
    assert not (audited.path / "attack.json").exists()
    some = folder_of(audited, tmp_path / "some", ("risk", "control"), images=2)
    gone = audited.read(PROMPTS).filter(pl.col("arm") == "control")["prompt_id"].to_list()[:8]
    lines = (some / "metadata.jsonl").read_text().splitlines()
    (some / "metadata.jsonl").write_text("\n".join(line for line in lines if not any(id_ in line for id_ in gone)))
    assert attack(audited, str(some)) == 0
    assert audited.manifest()["parts"]["attack"]["controls_attacked"] == 4
    assert audited.read(CANDIDATES).height == 8


def test_the_data_set_itself_is_no_set_of_generated_images(
    audited: Run, small_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert attack(audited, str(small_data)) == 2
    assert "are files of the audited data set, byte for byte" in capsys.readouterr().err
    assert not (audited.path / "attack.json").exists()


def test_what_looks_inside_is_refused_with_the_way_out(audited: Run, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["attack", str(audited.path), "--target", "openai:painter", "--api-url", "http://127.0.0.1:9/v1"]
    assert exit_code_of(app, arguments) == 2
    assert "or --triage none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["openai:", "--triage", "none"], "names no model"),
        (["openai:m", "--api-url", "ftp://host/v1"], "--api-url"),
        (["openai:m", "--api-size", "big"], "--api-size"),
        (["openai:m", "--api-max-cost", "3"], "--api-price"),
        (["openai:m", "--api-threads", "0"], "--api-threads"),
        (["openai:m", "--compare-size", "100"], "multiple of 16"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    audited: Run, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(app, ["attack", str(audited.path), "--target", *arguments]) == 2
    assert says in capsys.readouterr().err
