"""A published release of the caller's own rows, made without any pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tracemill.release.layout import SCHEMA, published_row
from tracemill.release.writer import METADATA

CARD = "---\npretty_name: tiny\nlicense: Apache-2.0\nlanguage:\n- en\n---\n# tiny\n"


def row(think: str, answer: str, *turns: tuple[str, str], **about: Any) -> dict[str, Any]:
    """One released row: the published columns, and `about`, its line of the metadata beside ids."""
    messages = [{"role": role, "content": content} for role, content in turns or [("user", "What is 2 + 2?")]]
    problem = {"source": "s", "prompt": "", "messages": messages, "reference_answer": None, "test_case": None}
    written = {"teacher": "t", "think_content": think, "answer_content": answer}
    return {**published_row({**problem, **about.pop("problem", {})}, written), "about": about}


def release(folder: Path, parts: Mapping[str, Sequence[Mapping[str, Any]]] | Sequence[Mapping[str, Any]]) -> Path:
    """Write rows as `tracemill publish` does: a data file a part (a list is `train`), metadata, card. Ids: g0, g1..."""
    named = parts if isinstance(parts, Mapping) else {"train": parts}
    lines: list[dict[str, Any]] = []
    folder.mkdir(parents=True, exist_ok=True)
    for part, rows in named.items():
        published = [{"messages": each["messages"]} for each in rows]
        pq.write_table(pa.Table.from_pylist(published, SCHEMA), folder / f"{part}.parquet", row_group_size=7)
        for number, each in enumerate(rows):
            known = {"verdicts": [], "measurements": [], "teacher": "t", **each.get("about", {})}
            lines.append({"row": number, "file": part, "generation_id": f"g{len(lines)}", **known})
    pq.write_table(pa.Table.from_pylist(lines, METADATA), folder / "metadata.parquet", row_group_size=5)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    return folder
