"""Answers judged by what they do: each function turns what was read into what is compared."""

from __future__ import annotations

NEEDS: dict[str, dict[str, str]] = {}
