"""The page of a calibration: whole, self-contained, escaped, and of the same figures as the table."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scanner.duplicates import Calibration, CalibrationSettings, Labels, Scanned, calibrate, calibration_table
from scanner.report import CalibratedRun, calibration_headline, calibration_notes, tiny, write_calibration
from tests.report.page import Page

SOURCE = CalibratedRun(dataset="<b>laion</b>\u202e", model="demo", labels=None)


def planted(*, pictures: bool = True, labels: Labels | None = None, precision: float | None = None) -> Calibration:
    """600 random directions, two of them a known copy of each other."""
    vectors = np.random.default_rng(0).normal(size=(600, 16)).astype(np.float32)
    vectors[1] = vectors[0] * 0.99
    samples = pl.DataFrame(
        {
            "sample_id": range(600),
            "pixel_sha256": pl.Series([f"{row:064x}" if pictures else None for row in range(600)], dtype=pl.String),
            "phash": pl.Series(range(600) if pictures else [None] * 600, dtype=pl.UInt64),
        }
    )
    members = pl.DataFrame({"sample_id": [0, 1], "group_id": [0, 0]})
    groups = pl.DataFrame({"group_id": [0], "medoid": [0]})
    pairs = pl.DataFrame({"left": [0], "right": [1], "accepted": [True]})
    scanned = Scanned(samples=samples, embeddings=vectors, members=members, groups=groups, pairs=pairs)
    return calibrate(scanned, CalibrationSettings(rate=1e-3, propose_rate=1e-2, precision=precision), labels)


LABELS = Labels(left=np.array([0, 2, 4]), right=np.array([1, 3, 5]), same=np.array([True, False, False]))


@pytest.mark.parametrize("pictures", [True, False])
@pytest.mark.parametrize("labels", [None, LABELS])
def test_the_page_needs_nothing_else_and_shows_the_figures(pictures: bool, labels: Labels | None, tmp_path: Path):
    found = planted(pictures=pictures, labels=labels)
    path = write_calibration(found, calibration_table(found), tmp_path / "page.html", SOURCE)
    page = Page(path)
    text = path.read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert any("default-src 'none'" in str(attributes.get("content")) for attributes in page.all("meta"))
    assert page.figures[0][0] == f"{found.own.kind}.threshold"
    assert "<b>laion" not in text
    assert "⟨U+202E⟩" in page.text
    sections = [attributes["id"] for attributes in page.all("section")]
    assert sections == ["summary", *(("proposes", "decides") if pictures else ("decides", "proposes")), "notes"]
    assert len(page.ids()) == len(set(page.ids()))
    for kind in (found.proposes, found.decides):
        assert f"{kind.threshold.cosine:.4f}" in page.text
    charts = [attributes for attributes in page.all("svg") if attributes.get("class") == "chart"]
    assert len(charts) == 6
    assert ("Precision" in page.text) == (labels is not None)
    for points in re.findall(r'points="([^"]*)"', text):
        places = [float(number) for point in points.split() for number in point.split(",")]
        assert np.isfinite(places).all()
        assert min(places) >= -0.1


def test_the_same_calibration_gives_the_same_bytes(tmp_path: Path):
    found = planted()
    one, other = (write_calibration(found, calibration_table(found), tmp_path / name, SOURCE) for name in "ab")
    assert one.read_bytes() == other.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_notes_say_what_was_left_out_and_by_what():
    assert any(
        "looked at" not in note and "groups are no random pairs" in note for note in calibration_notes(planted())
    )
    blind = calibration_notes(planted(pictures=False))
    assert any("made by the cosine itself" in note for note in blind)
    for known in ("hashes", "nothing"):
        notes = calibration_notes(replace(planted(), left_out_by=known))
        assert any("not made yet" in note for note in notes)


def test_a_precision_that_no_threshold_has_is_said():
    labels = replace(LABELS, same=np.array([False, True, False]))
    notes = calibration_notes(planted(labels=labels, precision=0.9))
    assert sum("No threshold has a precision of 0.9" in note for note in notes) == 2


def test_the_headline_names_what_the_cosine_does():
    assert "proposes" in calibration_headline(planted())
    assert "takes for copies" in calibration_headline(planted(pictures=False))


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0"), (1e-6, "10⁻⁶"), (1.26e-6, "1.3 · 10⁻⁶"), (9.99e-7, "10⁻⁶"), (2e-12, "2 · 10⁻¹²"), (0.02, "2.0 %")],
)
def test_small_shares_are_written_as_powers(share: float, text: str):
    assert tiny(share) == text
    assert tiny(None) == "–"
