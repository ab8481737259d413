"""Describes a kind by the class behind it: keys with type, default, unit and sentence; tables and reasons of a step."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tracemill.drafting.kinds import Kind
from tracemill.drafting.sentences import defined, sentence_of, sentences
from tracemill.drafting.types import REQUIRED, type_in_words
from tracemill.engine.step import Step

_RULES_GIVE_REASONS = re.compile(r"\bgives the reason\b(?!:)")
_OF_THE_LEDGER = re.compile(r"\bLedger:|\bRejected\b|\breason\b")
_UNITS = {
    "seconds": "seconds",
    "bytes": "bytes",
    "mib": "MiB",
    "tokens": "tokens",
    "words": "words",
    "rows": "rows",
    "minute": "per minute",
    "share": "share of 1",
    "characters": "characters",
}
_NOT_WRITTEN = ("trial",)  # of a recipe: it says how it is run, and its file may not hold it
_SAID = {"seconds": "seconds", "mib": "MiB"}  # units that a sentence about a number names


@dataclass(frozen=True)
class Key:
    """One setting. `default` is JSON, or "required"; `unit` is "" where the type or the sentence says it."""

    name: str
    type: str
    default: str
    unit: str
    sentence: str

    @property
    def meaning(self) -> str:
        """The sentence, with the unit where it does not say it."""
        return f"{self.sentence} ({self.unit})" if self.unit and self.unit not in self.sentence else self.sentence


@dataclass(frozen=True)
class Described:
    """What there is to say of a kind. `facts`: what a step reads and writes; `reasons`: why it turns rows away."""

    family: str
    name: str
    module: str
    text: str
    keys: tuple[Key, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


def described(kind: Kind) -> Described:
    """Describe one kind."""
    behind = kind.behind
    if not isinstance(behind, type):
        module = f"tracemill.sandbox.languages.{behind.name}"
        return Described(kind.family, kind.name, module, behind.title, facts=_language_facts(behind))
    text = inspect.cleandoc(behind.__doc__ or "")
    keys = keys_of(behind)
    if not issubclass(behind, Step):
        return Described(kind.family, kind.name, behind.__module__, text, keys)
    facts = {
        "reads": ", ".join(behind.reads) or "nothing",
        "writes": ", ".join(dict.fromkeys((*behind.writes, "ledger"))),
        "counts": f"{behind.unit}s",
        "works on": "one shard at a time" if behind.shape == "map" else "all shards together",
        "version": str(behind.version),
        "ledger": " ".join(one for one in sentences(behind) if _OF_THE_LEDGER.search(one)),
    }
    return Described(kind.family, kind.name, behind.__module__, text, keys, _said(facts), reasons_of(behind))


def keys_of(model: type[BaseModel]) -> tuple[Key, ...]:
    """Every key of a model, `kind` first, then the required ones, in the order in which they are written."""
    schema = model.model_json_schema()
    found = [_key(model, name, info, schema) for name, info in model.model_fields.items() if name not in _NOT_WRITTEN]
    return tuple(sorted(found, key=lambda key: (key.name != "kind", key.default != REQUIRED)))


def reasons_of(step: type[Step]) -> dict[str, str]:
    """The reasons that a step declares (`reasons`), or those that its docstring defines; {} where it has neither.

    A docstring defines them that says of its rules that one "gives the reason".
    """
    declared: Any = getattr(step, "reasons", None)
    if isinstance(declared, Mapping):
        return {str(reason): str(text) for reason, text in declared.items()}
    if isinstance(declared, tuple | frozenset | set | list):
        return dict.fromkeys(sorted(map(str, declared)), "")
    return defined(step) if _RULES_GIVE_REASONS.search(step.__doc__ or "") else {}


def _key(model: type[BaseModel], name: str, info: FieldInfo, schema: Mapping[str, Any]) -> Key:
    node = schema["properties"].get(info.alias or name, {})
    words = type_in_words(node, schema.get("$defs", {}))
    sentence = "says what this is" if name == "kind" else sentence_of(model, name)
    return Key(name, words, _default(info), _unit(name, words, sentence), sentence)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return REQUIRED
    return default_in_json(info.get_default(call_default_factory=True, validated_data={}))


def default_in_json(value: Any) -> str:
    """A default as JSON; what differs from machine to machine is named instead."""
    if isinstance(value, Path):
        return "this interpreter" if value == Path(sys.executable) else json.dumps(str(value))
    if isinstance(value, BaseModel):
        changed = value.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(changed, ensure_ascii=False) if changed else "its defaults"
    if isinstance(value, tuple | frozenset | set):
        value = list(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _unit(name: str, words: str, sentence: str) -> str:
    if "number" not in words:
        return ""
    said = next((unit for word, unit in _SAID.items() if re.search(rf"\b{word}\b", sentence, re.IGNORECASE)), "")
    return _UNITS.get(name.rsplit("_", 1)[-1], said)


def _language_facts(language: Any) -> dict[str, str]:
    facts = {
        "tags": ", ".join(sorted(language.tags)),
        "file": language.file,
        "compiler": " or ".join(language.compiler),
        "runtime": " or ".join(language.runtime),
        "build": " ".join(language.build),
        "run": " ".join(language.run),
        "takes for itself": f"{language.start_seconds:g} CPU seconds, {language.memory >> 20} MiB",
        "Debian packages": ", ".join(language.packages),
    }
    return _said(facts)


def _said(facts: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in facts.items() if text}
