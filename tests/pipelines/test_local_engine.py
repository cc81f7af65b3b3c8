"""The local engine: skips what is there, writes what comes back, and turns a crash into an outcome."""

import pytest

from pipelines.engines import Job, LocalEngine, require
from scanner.errors import ScannerError, UnusableInputError


def job(stage, done=lambda _: False, written=None, shards=("a", "b", "c")):
    written = {} if written is None else written
    return Job(name="test", shards=shards, make=lambda: stage, done=done, write=written.__setitem__)


def test_rows_are_written_and_finished_shards_skipped():
    written = {}
    outcomes = LocalEngine().run(job(str.upper, done=lambda shard: shard == "b", written=written))
    assert written == {"a": "A", "c": "C"}
    assert [outcome.state for outcome in outcomes] == ["done", "skipped", "done"]


def test_a_stage_that_is_not_needed_is_not_made():
    def never():
        raise AssertionError("made")

    finished = Job(name="test", shards=["a"], make=never, done=lambda _: True, write=lambda *_: None)
    assert [outcome.state for outcome in LocalEngine().run(finished)] == ["skipped"]


def test_a_bad_shard_does_not_end_the_job():
    def stage(shard):
        if shard == "b":
            raise ZeroDivisionError("by\nzero")
        return shard

    written = {}
    outcomes = LocalEngine().run(job(stage, written=written))
    assert list(written) == ["a", "c"]
    assert (outcomes[1].state, outcomes[1].reason, outcomes[1].message) == (
        "failed",
        "ZeroDivisionError",
        "by zero",
    )
    with pytest.raises(ScannerError, match="1 of 3 parts failed, the first with ZeroDivisionError: by zero"):
        require(outcomes)


def test_an_error_meant_for_the_user_ends_the_job():
    def stage(_):
        raise UnusableInputError("Say this.")

    with pytest.raises(UnusableInputError, match="Say this"):
        LocalEngine().run(job(stage))
