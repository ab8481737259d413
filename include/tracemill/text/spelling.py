"""Says what was probably meant: one near name for one that nobody knows, and one sentence for each wrong key."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

SHOWN = 12  # names that are listed where none is near
Node = Mapping[str, Any]


def nearest(name: str, names: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: "; did you mean 'demo'?", or the names that there are."""
    known = list(names)
    folded = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(name.casefold(), folded, 1)
    if close:
        return f"; did you mean {folded[close[0]]!r}? It has: {_listed(known)}"
    return f"; there are: {_listed(known)}" if known else "; there is none"


def _listed(names: Sequence[str]) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def explained(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line for each wrong key: its place as the YAML has it, what is wrong, and what was probably meant."""
    schema = _schema(model)
    return [f"{place}: {said}" for place, said in (_line(one, schema) for one in _causes(error))]


def _causes(error: ValidationError) -> list[Any]:
    """The faults without those that only follow from another: a key is missing because it stands there misspelt, and

    a list is too short because its items are wrong.
    """
    faults: list[Any] = error.errors(include_url=False)
    unknown = [fault["loc"] for fault in faults if fault["type"] == "extra_forbidden"]

    def follows(fault: Any) -> bool:
        place = fault["loc"]
        if fault["type"] == "too_short":
            return any(one["loc"] != place and one["loc"][: len(place)] == place for one in faults)
        beside = [str(one[-1]) for one in unknown if one[:-1] == place[:-1]]
        return fault["type"] == "missing" and bool(difflib.get_close_matches(str(place[-1]), beside, 1))

    return [fault for fault in faults if not follows(fault)]


@lru_cache(maxsize=2)
def _schema(model: type[BaseModel]) -> Node:
    return model.model_json_schema()


def _line(one: Any, schema: Node) -> tuple[str, str]:
    location = [str(part) for part in one["loc"]]
    place, parent = _walk(location[:-1], schema)
    key = location[-1] if location else ""
    context = one.get("ctx", {})
    kind = one["type"]
    if kind == "extra_forbidden":
        return _joined(place, key), f"unknown key{nearest(key, _keys(parent))}"
    whole, _ = _walk(location, schema)
    if kind == "union_tag_invalid":
        known = re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))
        return _joined(whole, "kind"), f"unknown kind {context.get('tag')!r}{nearest(str(context.get('tag')), known)}"
    if kind == "union_tag_not_found":
        return _joined(whole), "`kind` is missing: it says what this is"
    if kind == "literal_error" and isinstance(one["input"], str):
        known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        near = difflib.get_close_matches(one["input"], known, 1)
        return _joined(whole), one["msg"] + (f"; did you mean {near[0]!r}?" if near else "")
    return _joined(whole), str(one["msg"]).removeprefix("Value error, ")


def _joined(place: Sequence[str], key: str = "") -> str:
    return ".".join([*place, *([key] if key else [])]) or "(top)"


def _walk(location: Sequence[str], schema: Node) -> tuple[list[str], list[Node]]:
    """The place in the YAML (without the kinds that pydantic puts between) and what may stand there."""
    place: list[str] = []
    nodes: list[Node] = [schema]
    for part in location:
        tagged = [found for node in nodes if (found := _tagged(node, part, schema)) is not None]
        if tagged:
            nodes = tagged
            continue
        opened = list(_open(nodes, schema))
        inner = [found for node in opened if (found := _child(node, part)) is not None]
        if inner or any(node.get("type") == "object" for node in opened):
            place.append(part)
            nodes = inner
    return place, list(_open(nodes, schema))


def _child(node: Node, part: str) -> Node | None:
    found = node.get("properties", {}).get(part)
    if found is None and part.isdecimal():
        found = node.get("items")
    if found is None and isinstance(node.get("additionalProperties"), Mapping):
        found = node["additionalProperties"]
    return found if isinstance(found, Mapping) else None


def _tagged(node: Node, part: str, schema: Node) -> Node | None:
    """The member of a union that this kind names; None where it names none."""
    reference = node.get("discriminator", {}).get("mapping", {}).get(part)
    if reference is not None:
        return _resolved({"$ref": reference}, schema)
    for inner in (*node.get("anyOf", ()), *([_resolved(node, schema)] if "$ref" in node else ())):
        if (found := _tagged(inner, part, schema)) is not None:
            return found
    return None


def _open(nodes: Iterable[Node], schema: Node) -> Iterator[Node]:
    """All objects and lists that may stand at a place, whatever references and unions are around them."""
    for node in nodes:
        inner = (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ()))
        if "$ref" in node:
            yield from _open([_resolved(node, schema)], schema)
        elif inner:
            yield from _open(inner, schema)
        else:
            yield node


def _resolved(node: Node, schema: Node) -> Node:
    found: Node = schema["$defs"][str(node["$ref"]).rsplit("/", 1)[-1]]
    return found


def _keys(nodes: Iterable[Node]) -> list[str]:
    return list(dict.fromkeys(key for node in nodes for key in node.get("properties", {})))
