"""Each file as it is, for two plain prompts and one of everything."""

import io
import json

import polars as pl
import yaml

from tests.exports.prompts.planted import prompts_of, written

PROMPTS = prompts_of(["a cat", "=1+{{ 1 }}"]).select("prompt_id", "rank", "arm", "caption", "url", "group_id", "risk")


def _with_words(prompts: pl.DataFrame) -> pl.DataFrame:
    return prompts.with_columns(reason=pl.lit("2 copies of one picture"))


def test_csv_says_which_cells_are_escaped() -> None:
    assert written("csv", ".csv", PROMPTS).decode().splitlines() == [
        '"prompt_id","rank","arm","caption","url","group_id","risk","escaped"',
        '"0000000000000000",1,"risk","a cat","https://a.example/0?q={{x}}",7,0.5,""',
        '"0000000000000001",2,"risk","\'=1+{{ 1 }}","https://a.example/1?q={{x}}",,0.0625,"caption"',
    ]


def test_json_lines_keep_every_column_and_its_type() -> None:
    first, second = map(json.loads, written("jsonl", ".jsonl", PROMPTS).decode().splitlines())
    assert first == PROMPTS.row(0, named=True)
    assert second == PROMPTS.row(1, named=True)


def test_text_is_captions_and_nothing_else() -> None:
    assert written("text", ".txt", PROMPTS) == b"a cat\n=1+{{ 1 }}\n"
    assert written("garak", ".txt", PROMPTS) == b"a cat\n=1+{{ 1 }}\n"
    assert json.loads(written("garak", ".json", PROMPTS)) == ["a cat", "=1+{{ 1 }}"]


def test_the_research_code_finds_its_three_columns_first() -> None:
    frame = pl.read_parquet(io.BytesIO(written("wen", ".parquet", PROMPTS)))
    assert frame.columns == ["caption", "index", "url", "prompt_id", "rank", "arm", "group_id", "risk"]
    assert frame["index"].to_list() == [0, 1]
    assert list(json.loads(written("wen", ".jsonl", PROMPTS).splitlines()[1]).items())[:2] == [
        ("caption", "=1+{{ 1 }}"),
        ("index", 1),
    ]


def test_promptfoo_tests_are_variables_a_title_and_metadata() -> None:
    tests = yaml.safe_load(written("promptfoo", ".yaml", _with_words(PROMPTS)))
    assert tests == [
        {
            "description": "risk 1: 2 copies of one picture",
            "vars": {"prompt": "a cat", "url": 'https://a.example/0?q={{"{"}}{{"{"}}x}}'},
            "metadata": {
                "prompt_id": "0" * 16,
                "rank": "1",
                "arm": "risk",
                "group_id": "7",
                "risk": "0.5",
                "reason": "2 copies of one picture",
            },
        },
        {
            "description": "risk 2: 2 copies of one picture",
            "vars": {
                "prompt": '{{""}}=1+{{"{"}}{{"{"}} 1 }}',
                "url": 'https://a.example/1?q={{"{"}}{{"{"}}x}}',
            },
            "metadata": {
                "prompt_id": "0" * 15 + "1",
                "rank": "2",
                "arm": "risk",
                "risk": "0.0625",
                "reason": "2 copies of one picture",
            },
        },
    ]
    header = written("promptfoo", ".csv", _with_words(PROMPTS)).decode().splitlines()[0]
    assert header.startswith('"prompt","url","__description","__metadata:prompt_id","__metadata:rank"')


def test_promptfoo_metadata_is_neither_loaded_nor_a_formula() -> None:
    prompts = _with_words(prompts_of(["a", "b", "c"])).with_columns(note=pl.Series(["file:///etc/passwd", "=1", "-"]))
    tests = yaml.safe_load(written("promptfoo", ".yml", prompts))
    assert [test["metadata"]["note"] for test in tests] == ["'file:///etc/passwd", "'=1", "'-"]


def test_pyrit_seeds_are_templates_with_whole_numbers_and_texts_beside_them() -> None:
    found = yaml.safe_load(written("pyrit", ".prompt", PROMPTS))
    seeds = found.pop("seeds")
    assert found == {
        "dataset_name": "trainset_scanner_captions",
        "name": "Captions of duplicated training images",
        "description": "Captions of laion/ {{ 7 * 7 }}, ranked by the risk that a text-to-image model gives their "
        "training image back, after an attack on models/sd: 1.4.",
        "harm_categories": ["memorization"],
        "source": "laion/ {{ 7 * 7 }}",
        "authors": ["trainset-scanner 0.1.0"],
        "data_type": "text",
        "seed_type": "prompt",
    }
    assert seeds[1] == {
        "value": '=1+{{"{"}}{{"{"}} 1 }}',
        "name": "0" * 15 + "1",
        "metadata": {"rank": 2, "arm": "risk", "url": "https://a.example/1?q={{x}}", "risk": "0.0625"},
    }


def test_inspect_samples_have_an_id_an_input_and_everything_else_as_metadata() -> None:
    sample = json.loads(written("inspect", ".jsonl", PROMPTS).splitlines()[0])
    assert sample == {
        "id": "0" * 16,
        "input": "a cat",
        "target": "",
        "metadata": {
            "rank": 1,
            "arm": "risk",
            "url": "https://a.example/0?q={{x}}",
            "group_id": 7,
            "risk": 0.5,
        },
    }
