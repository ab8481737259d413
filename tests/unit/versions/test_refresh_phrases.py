"""What new rows make a phrase of, goes from the old ones too, and the version's difference names them."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.build.small import Small, ids, small, text
from tracemill.versions.versions import latest

PHRASE = "as a large language model trained by somebody"
PLAIN = [text(k) for k in range(20)]
OLD = [text(k) for k in (21, 32, 43)]
NEW = [text(k) for k in (90, 81)]


def write(made: Small, plain: list[str], told: list[str]) -> None:
    """The source's rows: those of `told` with the phrase in their answers."""
    answers = {**dict.fromkeys(plain, "that many"), **{q: f"{PHRASE} I say {len(q)}" for q in told}}
    rows = [{"q": q, "r": f"<think>count {q[:9]}</think>\n<answer>{len(q)} {a}</answer>"} for q, a in answers.items()]
    (made.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def with_phrases(made: Small) -> None:
    """Write the recipe with the two steps before the selection."""
    made.describe()
    data = yaml.safe_load(made.recipe_file.read_text())
    found = {"phrases": {"kind": "phrases", "n": 8, "limit": 4}, "drop_phrases": {"kind": "drop_phrases"}}
    first = {name: data["steps"][name] for name in ("sign", "cluster", "unique", "rules")}
    data["steps"] = {**first, **found, **{name: data["steps"][name] for name in ("select", "release")}}
    made.recipe_file.write_text(yaml.safe_dump(data, sort_keys=False))


def test_an_old_row_that_new_ones_turn_away_is_in_the_difference_by_name(tmp_path: Path) -> None:
    made = small(tmp_path, PLAIN)
    with_phrases(made)
    write(made, PLAIN, OLD)
    made.refresh()
    version = latest(made.store)
    assert version is not None
    assert made.released(version) == ids([*PLAIN, *OLD])
    write(made, PLAIN, [*OLD, *NEW])
    done = made.refresh()
    assert done.published is not None
    assert made.released(done.published.version) == ids(PLAIN)
    changes = made.changes(done.published.version)
    assert {(row["change"], row["problem_id"], row["step"], row["reason"]) for row in changes} == {
        ("removed", problem, "drop_phrases", "frequent_phrase") for problem in ids(OLD)
    }
