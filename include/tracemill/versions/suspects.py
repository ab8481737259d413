"""Keeps what only a person can decide out of a revocation list until somebody accepts it.

Rules that do not look at numbers (template, embedding) find variants of an item, and with them honest problems of its
form: of 27 problems that template alone revoked once five were right. They are listed in `revocations/NAME.suspected`,
in the lines of a revocation list, and revoked once their problem is accepted; what is accepted stays in the list.
"""

from __future__ import annotations

from collections.abc import Collection

import orjson
from pydantic import ValidationError

from tracemill.engine.store import Store
from tracemill.errors import CorruptShard, RecipeError
from tracemill.release.revocations import FOLDER, Revocation

RULES = frozenset({"template", "embedding"})
SUFFIX = ".suspected"
ALL = "all"


def certain(lines: Collection[Revocation], accepted: Collection[str]) -> list[Revocation]:
    """The lines that are revoked: those of a rule that is evidence by itself, and those of accepted problems.

    Raises RecipeError for an accepted problem that is not among the suspects.
    """
    known = {line.problem_id for line in lines if line.rule in RULES}
    if unknown := sorted(set(accepted) - known - {ALL}):
        raise RecipeError(
            f"no suspect is called {', '.join(unknown)}: `.suspected` beside the list has those there are"
        )
    return [line for line in lines if line.rule not in RULES or ALL in accepted or line.problem_id in accepted]


def suspected(store: Store, name: str) -> list[Revocation]:
    """The suspects of one recall; [] when there are none. Raises CorruptShard for a damaged file."""
    key = f"{FOLDER}/{name}{SUFFIX}"
    try:
        return [Revocation.model_validate_json(line) for line in store.read_bytes(key).splitlines() if line]
    except FileNotFoundError:
        return []
    except ValidationError as error:
        raise CorruptShard(f"{store.root}/{key} is damaged: delete it and recall again") from error


def write_suspected(store: Store, name: str, lines: Collection[Revocation]) -> None:
    """Replace the suspects of one recall; nothing is written where there never were any."""
    if lines or suspected(store, name):
        store.write_bytes(f"{FOLDER}/{name}{SUFFIX}", b"".join(orjson.dumps(one.model_dump()) + b"\n" for one in lines))
