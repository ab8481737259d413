"""bespokelabs/Bespoke-Stratos-17k: DeepSeek-R1 traces of maths and code, in OpenThoughts' tags."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.datasets.openthoughts_114k import conversation_row
from tracemill.ingest.source import SourceRow


class BespokeStratos17kSource(DatasetSource):
    """Conversations only: no references and no tests."""

    kind: Literal["bespoke_stratos_17k"]
    repo: str = "bespokelabs/Bespoke-Stratos-17k"
    license: str | None = "apache-2.0"
    published_as: ClassVar[str | None] = "Bespoke17k"
    documented: ClassVar[tuple[str, ...]] = ("conversations",)

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row."""
        return conversation_row(value, self.category)
