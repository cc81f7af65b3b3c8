"""`--fail-on`: exit codes and sentences as a job that is gated on a run meets them."""

import json
import shutil
from pathlib import Path

import pytest

from pipelines.configs import Policy, Rule
from scanner.demo import target_folder
from scanner.errors import UnusableInputError
from scanner.report import gather
from scanner.run import Run, write_json
from scanner.tables import CANDIDATES
from tests.pipelines.conftest import ATTACK, Scanner
from tests.report.planted import Plan, classed, make_run, overwrite


@pytest.fixture
def attacked(tmp_path: Path) -> Run:
    """4 of 8 risk prompts and 1 of 40 controls verified; 2 prompts high, 4 medium, 2 low; 38 of 40 pairs found."""
    return classed(make_run(tmp_path / "run", Plan(control_hits=1)))


@pytest.mark.parametrize(
    ("rule", "code", "measured", "sentence"),
    [
        ("hits>0", 3, 5, "verified 4 of 8 high-risk prompts (exact 95 % interval 15.7 to 84.3 %) and 1 of 40 control"),
        ("hits > 4", 3, 5, "--fail-on 'hits>4' is met"),
        ("hits>5", 0, 5, "--fail-on 'hits>5' is kept: verified 4 of 8"),
        ("risk>=high:2", 3, 2, "2 of 8 ranked prompts are of the class high; all is written"),
        ("risk>=high:3", 0, 2, "--fail-on 'risk>=high:3' is kept: 2 of 8 ranked prompts are of the class high."),
        ("risk>=medium:6", 3, 6, "6 of 8 ranked prompts are of the classes high, medium"),
        ("risk>=low:9", 0, 8, "8 of 8 ranked prompts are of the classes high, medium, low"),
        (
            "recall<0.99",
            3,
            0.95,
            "The search found 38 of 40 true pairs, a recall of 0.95, so --fail-on 'recall<0.99' is",
        ),
        ("recall<0.95", 0, 0.95, "--fail-on 'recall<0.95' is kept: the search found 38 of 40 true pairs"),
    ],
)
def test_a_rule_is_judged_on_the_figures_of_the_report(
    attacked: Run, scanner: Scanner, rule: str, code: int, measured: float, sentence: str
) -> None:
    exit_code, out, err = scanner("report", attacked.path, "--fail-on", rule, "--json")
    (policy,) = json.loads(out)["policies"]
    assert (exit_code, policy["measured"], policy["kept"]) == (code, measured, code == 0)
    assert policy["rule"] == rule.replace(" ", "")
    assert sentence in policy["sentence"]
    assert err == (f"scanner: {policy['sentence']}" if code else "")
    assert policy["sentence"].count(". ") == 0, "one sentence"
    assert (attacked.path / "report" / "summary.md").exists(), "all is written"


def test_several_rules_and_min_recall_together(attacked: Run, scanner: Scanner) -> None:
    rules = ("--fail-on", "hits>0", "--fail-on", "risk>=high:1", "--fail-on", "recall<0.5", "--min-recall", "0.9")
    code, out, err = scanner("report", attacked.path, *rules)
    assert code == 3
    assert "'hits>0' is met" in err
    assert "'risk>=high:1' is met" in err
    assert "--min-recall 0.9 is kept" in out
    assert "--fail-on 'recall<0.5' is kept" in out


def test_no_hits_are_no_all_clear(tmp_path: Path, scanner: Scanner) -> None:
    run = make_run(tmp_path / "run", Plan(extracted=()))
    code, out, _ = scanner("report", run.path, "--fail-on", "hits>0")
    assert code == 0
    assert "--fail-on 'hits>0' is kept: verified 0 of 8 high-risk prompts (exact 95 % interval 0 to 36.9 %)" in out
    assert "does not say that nothing is memorised" in out
    overwrite(run, CANDIDATES, decision="open")
    assert "with 47 still undecided" in scanner("report", run.path, "--fail-on", "hits>0")[1]


def test_nothing_tried_is_not_tested(tmp_path: Path, scanner: Scanner) -> None:
    run = make_run(tmp_path / "run", Plan(attacked=False))
    run.claim_part("attack", {"target": "planted-model/"})
    code, out, err = scanner("report", run.path, "--fail-on", "hits>0", "--json")
    (policy,) = json.loads(out)["policies"]
    assert (code, err, policy["kept"], policy["measured"]) == (0, "", None, None)
    assert "was not tested" in policy["sentence"]


def test_an_attack_that_is_not_finished_keeps_no_rule_and_may_break_it(tmp_path: Path, scanner: Scanner) -> None:
    run = make_run(tmp_path / "run", Plan(extracted=(0,)))
    run.reopen()
    code, _, err = scanner("report", run.path, "--fail-on", "hits>1")
    assert (code, err.count("is not finished, so --fail-on 'hits>1' can't be kept")) == (2, 1)
    assert scanner("report", run.path, "--fail-on", "hits>0")[0] == 3


@pytest.mark.parametrize("rule", ["hits>0", "risk>=high:1", "recall<0.99"])
def test_what_a_run_has_not_measured_is_refused(tmp_path: Path, scanner: Scanner, rule: str) -> None:
    run = Run.claim(tmp_path / "run", {"dataset": "nothing/"})
    code, out, err = scanner("report", run.path, "--fail-on", rule)
    assert (code, out, err.count("scanner:")) == (2, "", 1)
    assert not (run.path / "report").exists()


def test_hits_that_were_compared_with_nothing_are_refused(tmp_path: Path, scanner: Scanner) -> None:
    run = make_run(tmp_path / "run")
    write_json(run.path / "attack.json", {"config": {"target": "planted-model/", "originals": False}, "versions": {}})
    code, _, err = scanner("report", run.path, "--fail-on", "hits>0")
    assert code == 2
    assert "attack without --no-originals" in err


@pytest.mark.parametrize(
    "rule",
    [
        *("", "hits", "hits>=0", "hits>-1", "hits>0.5", "hits>0; rm -rf /", "x" * 1_000),
        *("risk>=high", "risk>=high:0", "risk>=severe:1", "risk>high:1"),
        *("recall<0", "recall<1.1", "recall>0.9", "recall<nan"),
    ],
)
def test_what_is_no_rule_is_refused(attacked: Run, scanner: Scanner, rule: str) -> None:
    with pytest.raises(UnusableInputError, match="is no rule; write 'hits>0'"):
        Rule.parse(rule)
    code, out, err = scanner("report", attacked.path, f"--fail-on={rule}")
    assert (code, out) == (2, "")
    assert len(err) < 500
    assert not (attacked.path / "report").exists()


def test_rules_are_read() -> None:
    rules = Policy(fail_on=("hits > 3", "risk>=medium:12", "recall<.5")).rules()
    assert [(rule.figure, rule.limit, rule.risk_class) for rule in rules] == [
        ("hits", 3, None),
        ("risk", 12, "medium"),
        ("recall", 0.5, None),
    ]


def test_an_audit_is_gated_on_risk_and_refuses_hits(small_data: Path, tmp_path: Path, scanner: Scanner) -> None:
    audit = ["audit", small_data, "--out", tmp_path / "run", "--model", "demo", "--control", "40"]
    code, _, err = scanner(*audit, "--fail-on", "hits>0")
    assert code == 2
    assert "an audit attacks no model" in err
    assert not (tmp_path / "run").exists(), "refused before any work"
    code, out, err = scanner(*audit, "--fail-on", "risk>=low:1", "--fail-on", "recall<0.9", "--json")
    prompts = gather(Run.open(tmp_path / "run")).arms[0].prompts
    assert code == 3
    assert f"{prompts} of {prompts} ranked prompts are of the classes" in err
    assert json.loads(out)["policies"][0]["measured"] == prompts


def test_an_attack_is_gated_on_hits(small_run: Run, tmp_path: Path, scanner: Scanner) -> None:
    shutil.copytree(small_run.path, tmp_path / "run")
    options = [
        *("--prompts", ATTACK.prompts, "--control", ATTACK.control, "--seeds", ATTACK.seeds, "--steps", ATTACK.steps),
        *("--search-steps", ATTACK.search_steps, "--guidance", ATTACK.guidance, "--evidence", ATTACK.evidence),
        *("--rate", ATTACK.rate),
    ]
    attack = ["attack", tmp_path / "run", "--target", target_folder(), *options]
    hits = sum(arm.verified.hits for arm in gather(small_run).arms)
    assert hits, "the demo's target gives its heavy pictures back"
    code, _, err = scanner(*attack, "--fail-on", "hits>0")
    assert code == 3
    assert "--fail-on 'hits>0' is met: verified" in err
    assert scanner(*attack, "--fail-on", f"hits>{hits}")[0] == 0
    code, _, err = scanner(*attack, "--no-originals", "--fail-on", "hits>0")
    assert code == 2
    assert "with --no-originals nothing is verified" in err
