"""The documentation site is built with strict links, without a network, and fetches nothing when it is read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="`make docs` installs what builds the site")
pytest.importorskip("material", reason="`make docs` installs what builds the site")
PROJECT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:1"  # a proxy that answers nobody


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site") / "site"
    roots = [str(PROJECT / "include"), str(PROJECT / "plugins"), os.environ.get("PYTHONPATH", "")]
    proxies = {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE}
    environment = {**os.environ, **proxies, "PYTHONPATH": os.pathsep.join(roots), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    result = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_it_has_its_four_parts_and_the_schema(site: Path) -> None:
    for page in ("start/own-problems", "how-to/move-a-store", "reference/steps", "reference/tables", "design/store"):
        assert (site / f"{page}.html").is_file(), page
    assert json.loads((site / "reference" / "recipe.schema.json").read_text(encoding="utf-8"))["$defs"]
    assert not (site / "hooks").exists()


def test_reading_it_fetches_nothing(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="?https?://', text) == [], page
