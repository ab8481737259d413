"""Adds the pages of the reference, and the schema of recipes, to the site while it is built; none of them is a file."""

from __future__ import annotations

import json

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from tracemill.cli.reference import pages
from tracemill.drafting.schema import recipe_schema


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs before it looks at links and at `nav`."""
    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}", content=text))
    schema = json.dumps(recipe_schema(), indent=1, ensure_ascii=False)
    files.append(File.generated(config, "reference/recipe.schema.json", content=schema))
    return files
