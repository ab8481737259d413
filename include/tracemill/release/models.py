"""Says on the card which models were asked: their weights, what of their engines' settings changes text, and versions.

All of it stands in the manifests of the shards that asked. Flags that only say how a server runs stay there: they may
name places of the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from tracemill.engine.store import Manifest, StoredFile
from tracemill.engine.tables.responses import TOKEN_LOGPROBS
from tracemill.release.markdown import table

_HEAD = ("model", "asked by", "weights", "engine", "vLLM", "called itself")
_PLACES = ("chat_template", "lora")  # settings that are paths: what they name is in the identity


def models_section(made_with: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """A table of the models by `made_with` of each step's manifests; nothing where none was asked."""
    found: dict[str, list[set[str]]] = {}
    for step, facts in made_with:
        for name, fact in facts.items():
            if name.startswith("model ") and isinstance(fact, Mapping):
                columns = found.setdefault(name.removeprefix("model "), [set() for _ in _HEAD[1:]])
                for column, more in zip(columns, ({step}, *_told(fact)), strict=True):
                    column |= more
    if not found:
        return ""
    rows = [(name, *(", ".join(sorted(column)) for column in columns)) for name, columns in sorted(found.items())]
    return f"### Models\n\n{table(_HEAD, rows)}\n"


def logprobs_section(sealed: Iterable[Manifest]) -> str:
    """How large the log-probabilities are that the store keeps beside the traces; nothing where there are none."""
    files: dict[str, list[StoredFile]] = {}
    for manifest in sealed:
        if TOKEN_LOGPROBS.name in manifest.tables:
            files.setdefault(manifest.step, []).append(manifest.tables[TOKEN_LOGPROBS.name])
    if not files:
        return ""
    head = ("written by", "tokens", "MB")
    rows = [
        (step, f"{sum(one.rows or 0 for one in own):,}", f"{sum(one.bytes for one in own) / 1e6:,.1f}")
        for step, own in files.items()
    ]
    place = f"table `{TOKEN_LOGPROBS.name}`"
    said = f"The store keeps them beside the traces, keyed by generation ({place}); the release does not."
    return f"### Log-probabilities\n\n{said}\n\n{table(head, rows)}\n"


def _told(fact: Mapping[str, Any]) -> tuple[set[str], ...]:
    """Weights, settings of the engine, its versions, and names that servers gave themselves, as one manifest says."""
    engine = fact.get("engine") or {}
    settings = {name: PurePosixPath(value).name if name in _PLACES else value for name, value in engine.items()}
    said = {f"{name}={value}" for name, value in settings.items()}
    return {str(fact.get("identity"))}, said, set(fact.get("versions") or ()), set(fact.get("served") or ())
