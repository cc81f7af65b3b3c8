"""Hosted image APIs: OpenAI's `POST /v1/images/generations` and the many servers that speak it."""

from scanner.targets.api._settings import ApiSettings
from scanner.targets.api._target import ApiTarget

__all__ = ["ApiSettings", "ApiTarget"]
