"""The page in a real browser (slow: needs Chromium): the script runs, links reach what is hidden."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scanner.report import gather, write_report
from scanner.run import Run
from tests.report.planted import Plan, make_run, originals

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    plan = Plan(copies=(40,) * 20, extracted=tuple(range(19)), singles=30)
    run = make_run(tmp_path_factory.mktemp("runs") / "browser", plan)
    write_report(run, originals)
    return run


def dom(run: Run, fragment: str, profile: Path) -> str:
    """The page's elements after its script has run."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [f"--user-data-dir={profile}", "--virtual-time-budget=2000", "--dump-dom"]
    page = (run.path / "report" / "index.html").as_uri() + fragment
    return subprocess.run([*command, page], capture_output=True, text=True, timeout=120, check=True).stdout


def test_long_lists_begin_short_and_tables_can_be_sorted(run: Run, tmp_path: Path) -> None:
    shown = dom(run, "", tmp_path)
    cards = re.findall(r'<article class="hit"[^>]*>', shown)
    assert len(cards) == 19
    assert sum("hidden" in card for card in cards) == 7
    assert "Show all 19 hits" in shown
    assert len(re.findall(r"<th[^>]*><button", shown)) > 5


def test_a_link_reaches_a_hit_beyond_the_first(run: Run, tmp_path: Path) -> None:
    last = gather(run).hits[-1].prompt_id
    cards = re.findall(r'<article class="hit"[^>]*>', dom(run, f"#hit-{last}", tmp_path))
    assert not any("hidden" in card for card in cards)
