"""The local engine: one shard after the other in this process (stages use the cores themselves).

>>> LocalEngine().run(job)                                                 # doctest: +SKIP
"""

from collections.abc import Callable
from typing import TypeVar

from pipelines.engines._job import Job, Outcome, Progress, Silent
from scanner.errors import ScannerError

Shard = TypeVar("Shard")
Rows = TypeVar("Rows")


class LocalEngine:
    """Runs jobs in this process."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.progress = progress or Silent()

    def run(self, job: Job[Shard, Rows]) -> list[Outcome[Shard]]:
        """Every shard's outcome, in order.

        An exception that a stage did not expect becomes a failed outcome and the next shard goes on; a ScannerError
        is meant for the user and ends the job.
        """
        pending = [shard for shard in job.shards if not job.done(shard)]
        outcomes = {id(shard): Outcome(shard=shard, state="skipped") for shard in job.shards}
        if pending:
            stage = job.make()
            self.progress.begin(job.name, len(pending))
            try:
                for shard in pending:
                    outcomes[id(shard)] = self._one(job, stage, shard)
                    self.progress.advance()
            finally:
                self.progress.end()
        return [outcomes[id(shard)] for shard in job.shards]

    def _one(self, job: Job[Shard, Rows], stage: Callable[[Shard], Rows], shard: Shard) -> Outcome[Shard]:
        try:
            job.write(shard, stage(shard))
        except ScannerError:
            raise
        except Exception as error:  # the one place that catches: a bad shard must not end the scan
            text = " ".join(str(error).split())[:500]
            return Outcome(shard=shard, state="failed", reason=type(error).__name__, message=text)
        return Outcome(shard=shard, state="done")
