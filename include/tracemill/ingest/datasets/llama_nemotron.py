"""nvidia/Llama-Nemotron-Post-Training-Dataset: reasoning and chat answers of several models (cc-by-4.0 and others)."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import optional_text, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow
from tracemill.ingest.turns import Turn, after_system, conversation, messages

# The switch of NVIDIA's models, no task: it is in `system_prompt`, and in the text of version 1's `input`.
SWITCH = re.compile(r"detailed thinking (?:on|off)\.?", re.IGNORECASE)
# Version 1 gave the conversation as the text of Llama 3's template.
_TURN = re.compile(
    r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\n*(.*?)(?=<\|eot_id\|>|<\|start_header_id\|>|\Z)", re.DOTALL
)


class LlamaNemotronSource(DatasetSource):
    """Configuration `SFT`, splits code, math, science, chat and safety. Licence, category and model are each row's own.

    `models`: only answers of these generators are responses (all, when empty).
    """

    kind: Literal["llama_nemotron"]
    repo: str = "nvidia/Llama-Nemotron-Post-Training-Dataset"
    config: Literal["SFT"] = "SFT"
    split: str = "science"
    license: str | None = "cc-by-4.0"
    models: tuple[str, ...] = ()
    documented: ClassVar[tuple[str, ...]] = ("input", "output")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row."""
        turns = after_system(optional_text(value, "system_prompt"), _turns(value))
        prompt, several = conversation(turns, [SWITCH])
        teacher = optional_text(value, "generator") or "unknown"
        answer = (optional_text(value, "output") or "").removesuffix("<|eot_id|>")
        wanted = not self.models or teacher.lower() in {name.lower() for name in self.models}
        return SourceRow(
            prompt=prompt,
            messages=several,
            category=self.category or optional_text(value, "category"),
            license=optional_text(value, "license"),
            responses=(Response(teacher=teacher, text=answer),) if answer and wanted else (),
        )


def _turns(value: dict[str, Any]) -> list[Turn]:
    given = value.get("input")
    if not isinstance(given, str):
        return messages(value, "input")
    found = [(role, content.strip()) for role, content in _TURN.findall(given)]
    if not found:
        return [{"role": "user", "content": text(value, "input")}]
    return [{"role": role, "content": content} for role, content in found if content or role != "assistant"]
