"""Engines: they schedule the names of shards, write what a stage returns, and catch what it raises."""

from pipelines.engines._job import Job, Outcome, Progress, Silent, require
from pipelines.engines._local import LocalEngine

__all__ = ["Job", "LocalEngine", "Outcome", "Progress", "Silent", "require"]
