"""The recipes that the forms offer, as text: those of the repository and those of TRACEMILL_RECIPES, looked at anew
whenever a DAG file is parsed, so that one that is dropped there appears without a restart.

A folder is read each time. A store prefix is read every 20 seconds at most, and what was read last stands in when the
store is away: every task parses its DAG file, too, and must find its DAG.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracemill import recipe_places
from tracemill.engine.resources import SHIPPED, Resources
from tracemill.errors import RecipeError, TracemillError

FRESH = 20.0  # seconds
_log = logging.getLogger(__name__)


def recipe_texts() -> Mapping[str, str]:
    """Every recipe's whole text by name. A folder or a prefix that cannot be read costs its own recipes alone."""
    shipped = {path.stem: _whole(path) for path in SHIPPED.glob("*.yaml")}
    try:
        own = recipe_places.own_folder()
        return {**shipped, **(_far(own) if own and "://" in own else _near())}
    except (TracemillError, OSError) as error:
        _log.warning("only the recipes that come with tracemill are offered: %s", error)
        return shipped


def _near() -> dict[str, str]:
    found = recipe_places.recipe_files()
    return {name: _whole(Path(place)) for name, place in found.items()}


def _whole(path: Path) -> str:
    """A recipe's text, with what the one that it is like says; as it lies there where that one cannot be had.

    Nothing where the file itself may not be read: it is offered all the same, and its first task says why.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        _log.warning("%s", error)
        return ""
    try:
        return recipe_places.whole(recipe_places.Written(text, str(path), str(path.parent.resolve()))).text
    except TracemillError as error:
        _log.warning("%s", error)
        return text


def _far(prefix: str) -> dict[str, str]:
    kept = Resources().cache / "recipes" / f"{hashlib.sha256(prefix.encode()).hexdigest()[:20]}.json"
    known = _kept(kept)
    if time.time() - known["at"] < FRESH:
        return dict(known["texts"])
    try:
        places = recipe_places.recipe_files()
        texts = {name: _fetched(place) for name, place in places.items()}
    except TracemillError as error:
        _log.warning("%s cannot be read; the recipes that it had are offered: %s", prefix, error)
        return dict(known["texts"])
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{time.time_ns()}.part")
    part.write_text(json.dumps({"at": time.time(), "texts": texts}), encoding="utf-8")
    part.replace(kept)
    return texts


def _fetched(place: str) -> str:
    """A recipe's whole text; nothing, which no graph fits, where the one that it is like cannot be had."""
    try:
        return recipe_places.find_recipe(place).text
    except RecipeError as error:
        _log.warning("%s", error)
        return ""


def _kept(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"at": 0.0, "texts": {}}
    return found if isinstance(found, dict) and {"at", "texts"} <= found.keys() else {"at": 0.0, "texts": {}}
