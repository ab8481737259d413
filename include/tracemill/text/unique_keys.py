"""Reads YAML in which every key of a mapping stands once; PyYAML keeps the last one and says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

_MERGE = "tag:yaml.org,2002:merge"  # `<<` may stand twice: what it names is added, and nothing is lost
_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where PyYAML was built with it: a tenth of the time


def read_yaml(text: str) -> Any:
    """What one document holds. Raises yaml.YAMLError, also naming the place of a key that is written twice."""
    try:
        return _read(text, _QUICK)
    except yaml.YAMLError:
        return _read(text, yaml.SafeLoader)  # its errors quote the line


def _read(text: str, loader_type: Any) -> Any:
    loader = loader_type(text)
    try:
        document = loader.get_single_node()
        _refuse_doubled(document)
        return None if document is None else loader.construct_document(document)
    finally:
        loader.dispose()


def _refuse_doubled(document: Any) -> None:
    for node in _mappings(document):
        seen = dict[tuple[str, str], yaml.Mark]()
        for key, _ in node.value:
            name = (key.tag, str(key.value))
            if name in seen and key.tag != _MERGE:
                first = seen[name].line + 1
                raise yaml.MarkedYAMLError(
                    problem=f"key {key.value!r} is written twice, first in line {first}: only one would count",
                    problem_mark=key.start_mark,
                )
            seen[name] = key.start_mark


def _mappings(root: Any) -> Iterator[Any]:
    """Every mapping below a node, once, however often aliases name it."""
    left = [root] if root is not None else []
    known = set[int]()
    while left:
        node = left.pop()
        if id(node) in known:
            continue
        known.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node
            left += [one for pair in node.value for one in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += node.value
