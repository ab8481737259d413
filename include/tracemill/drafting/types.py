"""Says a JSON schema's type in words: "whole number ≥ 1", "list of text", "'all', 'none' or null"."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

REQUIRED = "required"
_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MANY = 8  # kinds that are listed; more are only counted


def in_snake_case(name: str) -> str:
    """A class's name as recipes write names: SandboxSettings is sandbox_settings."""
    return _CAPITAL.sub("_", name).lower()


def type_in_words(node: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """The type of one property. `known`: the schema's own definitions."""
    if "$ref" in node:
        return _referred(str(node["$ref"]).rsplit("/", 1)[-1], known)
    if "const" in node:
        return json.dumps(node["const"], ensure_ascii=False)
    if "enum" in node:
        return _either([json.dumps(one, ensure_ascii=False) for one in node["enum"]])
    if "discriminator" in node:
        names = sorted(node["discriminator"]["mapping"])
        return f"one of kind {_either(names)}" if len(names) <= _MANY else f"one of {len(names)} kinds"
    for union in ("anyOf", "oneOf", "allOf"):
        if union in node:
            return _either(list(dict.fromkeys(type_in_words(one, known) for one in node[union])))
    return _plain(node, known)


def _plain(node: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    kind = node.get("type")
    if kind == "array":
        if "prefixItems" in node:
            return f"list [{', '.join(type_in_words(one, known) for one in node['prefixItems'])}]"
        return f"list of {type_in_words(node.get('items', {}), known)}"
    if kind == "object":
        inner = node.get("additionalProperties")
        return f"mapping to {type_in_words(inner, known)}" if isinstance(inner, Mapping) else "mapping"
    words = _WORDS.get(str(kind), "anything")
    bounds = [f"{sign} {node[name]}" for name, sign in _BOUNDS.items() if name in node]
    return " ".join([words, " and ".join(bounds)]) if bounds else words


def _referred(name: str, known: Mapping[str, Any]) -> str:
    found = known.get(name, {})
    kind = found.get("properties", {}).get("kind", {})
    if "enum" in found or "const" in found:
        return type_in_words(found, known)
    if "const" in kind:
        return f"kind {kind['const']}"
    return f"settings `{in_snake_case(name)}`"


def _either(parts: list[str]) -> str:
    if "null" in parts:
        parts = [*(part for part in parts if part != "null"), "null"]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
