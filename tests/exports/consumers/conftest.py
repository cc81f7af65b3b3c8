"""Where `make consumers` has put the other tools, and how they are run: apart, with a home folder of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.exports.prompts.planted import prompts_of, written

READERS = Path(__file__).parent / "readers"
Read = Callable[[str, str, list[str]], list]


@pytest.fixture(scope="session")
def installed() -> Path:
    """The folder that `make consumers` fills. Never skipped: under this marker, a tool that is missing is a failure."""
    folder = os.environ.get("SCANNER_CONSUMERS")
    assert folder, "Run `make consumers`: it installs the other tools and sets SCANNER_CONSUMERS to their folder."
    return Path(folder).resolve()


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """An environment in which a tool writes nothing outside the test's folder and calls nobody."""
    home = tmp_path / "home"
    home.mkdir()
    homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(home))
    return {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "NO_COLOR": "1", **homes}


@pytest.fixture
def read(installed: Path, alone: dict[str, str], tmp_path: Path) -> Read:
    """What a Python tool makes of these captions: (its name, the suffix, captions) to what its reader prints."""

    def _read(tool: str, suffix: str, captions: list[str]) -> list:
        name = "inspect" if tool == "inspect_ai" else tool
        source, out = tmp_path / f"prompts{suffix}", tmp_path / "read.json"
        source.write_bytes(written(name, suffix, prompts_of(captions)))
        python = installed / tool / "bin" / "python"
        run([str(python), str(READERS / f"read_{name}.py"), str(source), str(out)], alone, tmp_path)
        return json.loads(out.read_text())

    return _read


def run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    """A tool's output; its errors are the test's failure."""
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    sys.stdout.write(done.stdout)
    return done.stdout
