"""PyRIT, inspect_ai, garak and promptfoo themselves read what is written for them: every hostile caption, unchanged."""

import json
from pathlib import Path

import pytest

from tests.exports.consumers.conftest import Read, run
from tests.exports.prompts.planted import HOSTILE, left, prompts_of, written

pytestmark = pytest.mark.consumers
ALL = prompts_of(HOSTILE)
SILENT = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    "PROMPTFOO_DISABLE_SHARING": "1",
}


def test_pyrit_loads_the_seed_data_set_and_renders_each_value_to_its_caption(read: Read) -> None:
    found = read("pyrit", ".prompt", list(HOSTILE))
    assert [value for value, *_ in found] == list(HOSTILE)
    assert [name for _, name, *_ in found] == ALL["prompt_id"].to_list()
    assert [metadata["rank"] for _, _, metadata, *_ in found] == ALL["rank"].to_list()
    assert {(data_type, dataset) for *_, data_type, dataset in found} == {("text", "trainset_scanner_captions")}


def test_inspect_ai_loads_the_samples_with_their_metadata(read: Read) -> None:
    captions = left("inspect", ".jsonl", ALL)
    assert captions == [caption for caption in HOSTILE if caption]
    prompts = prompts_of(captions)
    wanted = prompts.select("prompt_id", "caption").rows()
    found = read("inspect_ai", ".jsonl", captions)
    assert [(name, text) for name, text, *_ in found] == wanted
    assert {target for _, _, target, _ in found} == {""}
    metadata = prompts.drop("prompt_id", "caption").rows(named=True)
    assert [each for *_, each in found] == metadata


@pytest.mark.parametrize("suffix", [".txt", ".json"])
def test_garak_has_each_caption_as_a_stub(read: Read, suffix: str) -> None:
    captions = left("garak", suffix, ALL)
    assert len(captions) >= 50
    assert sorted(read("garak", suffix, captions)) == sorted(captions)


@pytest.mark.parametrize("suffix", [".csv", ".yaml"])
def test_promptfoo_validates_the_tests_and_its_echo_gives_each_caption(
    installed: Path, alone: dict[str, str], tmp_path: Path, suffix: str
) -> None:
    (tmp_path / f"tests{suffix}").write_bytes(written("promptfoo", suffix, ALL))
    config = {"prompts": ["{{prompt}}"], "providers": ["echo"], "tests": f"file://tests{suffix}"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    modules = installed / "npm" / "node_modules"
    promptfoo = [str(modules / ".bin" / "node"), str(modules / "promptfoo" / "dist" / "src" / "entrypoint.js")]
    environment = alone | SILENT | {"PROMPTFOO_CONFIG_DIR": str(tmp_path / "promptfoo")}
    assert "Configuration is valid" in run([*promptfoo, "validate", "-c", "config.json"], environment, tmp_path)
    quietly = ["--no-write", "--no-share", "--no-cache", "--no-table", "--no-progress-bar"]
    run([*promptfoo, "eval", "-c", "config.json", *quietly, "-o", "out.json"], environment, tmp_path)
    results = json.loads((tmp_path / "out.json").read_text())["results"]["results"]
    results.sort(key=lambda result: int(result["testCase"]["metadata"]["rank"]))
    assert [result["response"]["output"] for result in results] == list(HOSTILE)
    assert [result["testCase"]["metadata"]["prompt_id"] for result in results] == ALL["prompt_id"].to_list()
