"""The commands that keep a release alive say what they did, and end in one sentence when they cannot."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from tests.build.small import LEAK, small, text
from tracemill.cli import app


def tracemill(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_release_lives_from_the_command_line(tmp_path: Path) -> None:
    made = small(tmp_path, [*(text(k) for k in range(5)), LEAK])
    refresh = ("refresh", made.recipe_file, "--root", made.root)
    assert "Published v1: 6 rows, 6 added, 0 removed." in tracemill(*refresh).output
    assert "Nothing is new" in tracemill(*refresh).output
    path = made.benchmark("late", LEAK)
    done = tracemill("recall", "--root", made.root, "--path", path, "--name", "late", "--field", "question")
    assert "revocations/late.jsonl: 1 responses more." in done.output
    assert "Published v2: 5 rows, 0 added, 1 removed (revoked 1)." in done.output
    listed = json.loads(tracemill("versions", "--root", made.root, "--json").output)
    assert [(one["number"], one["cause"], one["rows"]) for one in listed] == [(1, "refresh", 6), (2, "recall", 5)]
    (change,) = json.loads(tracemill("versions", "--root", made.root, "--show", "2", "--json").output)
    assert (change["change"], change["reason"]) == ("removed", "revoked")
    assert json.loads(tracemill("versions", "--root", made.root, "--held-back", "--json").output) == []
    wrong = tracemill("versions", "--root", made.root, "--show", "3")
    assert wrong.exit_code == 1
    assert "has no version 3" in " ".join(wrong.output.split())


def test_removed_rows_are_accepted_by_name_and_count(tmp_path: Path) -> None:
    made = small(tmp_path, [text(k) for k in range(25)])
    refresh = ("refresh", made.recipe_file, "--root", made.root)
    tracemill(*refresh)
    made.write([text(k) for k in range(12)])
    refused = tracemill(*refresh)
    assert refused.exit_code == 1
    accept = f"{made.folder}/rows.jsonl=13"
    assert f"--accept-removed '{accept}'" in refused.output.replace("\n", "")
    assert "accepts no removal: write FILE=ROWS" in tracemill(*refresh, "--accept-removed", "rows.jsonl").output
    done = tracemill(*refresh, "--accept-removed", accept)
    assert "Published v2: 12 rows, 0 added, 13 removed (not_in_source 13)." in done.output
    made.write([text(k) for k in range(30)])
    assert "Published v3: 30 rows, 18 added, 0 removed." in tracemill(*refresh).output
