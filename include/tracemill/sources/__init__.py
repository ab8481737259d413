"""The sources a recipe can name. To add one: its file, an import here, and its name in AnySource."""

from __future__ import annotations

from tracemill.sources.jsonl import JsonlSource

AnySource = JsonlSource
