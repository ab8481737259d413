"""Makes the JSON schema of recipes, by which editors complete and check them while they are written."""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import BaseModel

from tracemill.drafting.kinds import kinds
from tracemill.drafting.sentences import sentence_of
from tracemill.recipe import Recipe
from tracemill.recipe_places import LIKE

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def recipe_schema() -> dict[str, Any]:
    """The schema of a recipe's file, with the sentence of each key; equal on every machine."""
    schema = Recipe.model_json_schema()
    behind = {kind.behind.__name__: kind.behind for kind in kinds() if isinstance(kind.behind, type)}
    _describe(schema, Recipe)
    for name, node in schema["$defs"].items():
        if name in behind:
            _describe(node, behind[name])
    del schema["properties"]["trial"]  # how it is run, no key of the file
    _let_be_like(schema)
    return {"$schema": DIALECT, "title": "tracemill recipe", **{k: v for k, v in schema.items() if k != "title"}}


def _let_be_like(schema: dict[str, Any]) -> None:
    """Admit a recipe that is another one but for what it says: of its steps any part, and no other key is needed."""
    keys = schema["properties"]
    steps = keys["steps"]
    keys["steps"] = {name: steps[name] for name in ("type", "description") if name in steps}
    said = "The recipe that this one is but for what it says: a name, or a file beside it."
    keys[LIKE] = {"type": "string", "description": said}
    whole = {"required": schema.pop("required"), "properties": {"steps": steps}}
    schema |= {"if": {"required": [LIKE]}, "then": {"required": ["name"]}, "else": whole}


def _describe(node: dict[str, Any], model: type[BaseModel]) -> None:
    for name, property_ in node.get("properties", {}).items():
        if "default" in property_ and sys.executable in json.dumps(property_["default"]):
            del property_["default"]  # the interpreter of this machine
        sentence = sentence_of(model, name) if name in model.model_fields else ""
        if sentence and "$ref" not in property_:
            property_["description"] = sentence
