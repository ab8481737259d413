"""Files of JSON lines that a measurement goes on with, though it was killed while it wrote one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def whole_rows(path: Path) -> list[dict[str, Any]]:
    """The whole rows of a file that may have been cut off in its last line; none where there is no file."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def resumed(path: Path) -> list[dict[str, Any]]:
    """The same, and the file is left without half a last line, so that rows can be added."""
    whole = whole_rows(path)
    path.write_text("".join(json.dumps(row) + "\n" for row in whole), encoding="utf-8")
    return whole
