"""Adds the reference, which is made from the code, the schema of recipes and the pages of design to the site."""

from __future__ import annotations

import json
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from tracemill.cli.reference import pages
from tracemill.drafting.schema import recipe_schema


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Called by mkdocs first: every page of docs/design has its place in `nav`."""
    folder = Path(config.docs_dir)
    pages_of_design = [str(path.relative_to(folder)) for path in sorted((folder / "design").glob("*.md"))]
    for part in config.nav or ():
        if "Design" in part:
            part["Design"] = [*pages_of_design, *part["Design"]]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs before it looks at links and at `nav`."""
    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}", content=text))
    schema = json.dumps(recipe_schema(), indent=1, ensure_ascii=False)
    files.append(File.generated(config, "reference/recipe.schema.json", content=schema))
    return files
