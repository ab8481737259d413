"""Reads what a key means from where its class says it, so that nothing is written twice.

A key's sentence is its pydantic description, the comment beside it, or what the docstring of its class (or of a base)
says of it: a row `name   text` of a table there, or the sentences that name it in backticks.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel

from tracemill.drafting.kinds import kinds, models_in

_NAMES = r"[a-z][a-z0-9_]*(?:, [a-z][a-z0-9_]*)*"
_ROW = re.compile(rf"^(?P<names>{_NAMES}) {{2,}}(?P<text>\S.*(?:\n {{4,}}\S.*)*)", re.MULTILINE)
_DEFINITION = re.compile(rf"(?P<names>{_NAMES}): (?P<text>.*)", re.DOTALL)
_SENTENCE = re.compile(rf"(?<=[.!?])\s+(?=[A-Z`\"(]|{_NAMES}: )|(?<=;)\s+(?=`)|\n\s*\n")
_OPENS = re.compile(r"`([a-z_][a-z0-9_.]*)`")
_COMMENT = re.compile(r"^\s+(?P<key>\w+): .*?  # (?!type:|noqa)(?P<text>.*)$", re.MULTILINE)


def sentence_of(model: type[BaseModel], key: str) -> str:
    """What a key means, "" where nobody says it; of an object inside, what that is."""
    info = model.model_fields[key]
    if info.description:
        return info.description
    for owner in _owners(model):
        found = _comments(owner).get(key) or defined(owner).get(key) or _named(owner, key)
        if found:
            return found.removeprefix(f"`{key}`: ").rstrip(";")
    return _of_what_is_inside(list(models_in(info.annotation)))


def _of_what_is_inside(models: list[type[BaseModel]]) -> str:
    """The first sentence of a settings object's docstring; of several that have a kind, where they are listed."""
    if len(models) == 1:
        return sentences(models[0])[0]
    family = next((kind.family for kind in kinds() if models and kind.behind is models[0]), "")
    return f"each a {family}: `tracemill describe` lists them" if family else ""


def _owners(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The class and its own bases, the nearest first."""
    yield from (one for one in model.__mro__ if issubclass(one, BaseModel) and one.__module__.startswith("tracemill"))


@cache
def _comments(model: type[BaseModel]) -> dict[str, str]:
    """What stands behind a key on its line."""
    return {found["key"]: found["text"] for found in _COMMENT.finditer(inspect.getsource(model))}


@cache
def defined(model: type[BaseModel]) -> dict[str, str]:
    """What a docstring defines: the rows `name   text` of a table in it, and its sentences `name, name: text`."""
    found = [*_ROW.finditer(inspect.cleandoc(model.__doc__ or ""))]
    found += [match for one in sentences(model) if (match := _DEFINITION.match(one))]
    return {name: " ".join(one["text"].split()) for one in found for name in one["names"].split(", ")}


@cache
def sentences(model: type[BaseModel]) -> list[str]:
    """The sentences of a docstring; those of a table's row are apart from those of the next."""
    prose = _ROW.sub(lambda found: f"\n\n{found['text']}\n\n", inspect.cleandoc(model.__doc__ or ""))
    return [" ".join(one.split()) for one in _SENTENCE.split(prose) if one.strip()]


def _named(model: type[BaseModel], key: str) -> str:
    """The sentences of a docstring that begin with the key and those after them; else all that name it."""
    said = sentences(model)
    begun = next((at for at, one in enumerate(said) if one.startswith(f"`{key}`")), None)
    if begun is None:
        return " ".join(one for one in said if f"`{key}`" in one or f"`{key}: " in one)
    end = begun + 1
    while end < len(said) and not _OPENS.match(said[end]):
        end += 1
    return " ".join(said[begun:end])
