"""The job of the README is YAML, and its rules are rules."""

import re
from pathlib import Path

import yaml

from pipelines.configs import Policy

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_job_is_one() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (job,) = yaml.safe_load(block)["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    (audit,) = [command for command in commands if command.startswith("scanner audit")]
    rules = re.findall(r'--fail-on "([^"]+)"', audit)
    assert len(Policy(fail_on=tuple(rules)).rules()) == 2


def test_all_rules_of_the_readme_are_rules() -> None:
    rules = re.findall(r"^\| `([a-z]+[<>][^`]*)` \|", README, re.MULTILINE)
    assert len(Policy(fail_on=tuple(rules)).rules()) == 3
