"""A recipe whose three teachers are tried on the same sums, and fake servers that solve some kinds of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.build.several import Servers
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.engine.tables.piloting import PILOTED, STRATA
from tracemill.models.fake import FakeServer
from tracemill.recipe import Recipe, parse_recipe

KINDS = (("maths", "Easy"), ("maths", "hard"), ("Logic", "easy"), ("Logic", "hard"))
VERIFY: dict[str, Any] = {"kind": "verify", "verifiers": [{"kind": "math"}]}
Share = Mapping[tuple[str, str], float]  # of the problems of a category and difficulty


def recipe(folder: Path, each: int = 60, pilots: tuple[str, ...] = ("cheap", "strong", "waste"), **said: Any) -> Recipe:
    """So many problems of each kind; what is `said` besides are the recipe's `steps`, the `tried` problems, `prices`,
    or `forecast` of a pilot by its teacher.
    """
    rows = [{"q": f"{c} {d}: what is {n} + 0?", "a": str(n), "c": c, "d": d} for n in range(each) for c, d in KINDS]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = {"prompt": "q", "reference_answer": "a", "category": "c", "difficulty": "d"}
    source = {"kind": "jsonl", "name": "sums", "path": str(folder / "rows.jsonl"), "columns": columns}
    whole = {"name": "routed", "description": "", "rows_per_shard": 100, "sources": [source]}
    steps = said.get("steps") or tried(pilots, said)
    return parse_recipe({**whole, "steps": {**steps, **ENDING}}, "here")


ENDING: dict[str, Any] = {"verify": VERIFY, "select": {"kind": "select"}, "release": {"kind": "release"}}


def tried(pilots: tuple[str, ...], said: Mapping[str, Any]) -> dict[str, Any]:
    """A pilot for each teacher, then a distil step for each."""
    steps: dict[str, Any] = {}
    asking: dict[str, Any] = {}
    for name in pilots:
        teacher = teacher_of(name, said.get("prices", {}).get(name), said.get("policy"))
        forecast = said.get("forecast", {}).get(name, {"problems": "all"})
        pilot = {"kind": "pilot", "problems": said.get("tried", 120), "teacher": teacher, "forecast": forecast}
        distill = {
            "kind": "distill",
            "teacher": teacher,
            **{key: one for key, one in forecast.items() if key != "share"},
        }
        steps[f"pilot_{name}"] = pilot
        asking[f"distill_{name}"] = distill
    return steps | asking


def teacher_of(name: str, price: Any = None, policy: Any = None) -> dict[str, Any]:
    """A hosted teacher, asked until one of three samples passes."""
    wanted = policy or {"kind": "until_pass", "max": 3, "verifiers": [{"kind": "math"}]}
    at = {"url": f"http://{name}/v1", "model": name, "price": price}
    return {"kind": "chat", "model": {"name": name, "api": at}, "policy": wanted}


def servers(shares: Mapping[str, Share], words: Mapping[str, int]) -> Servers:
    """Teachers by name: of which share of each kind's problems they solve one, and with how many words they answer."""
    return Servers({name: solving(name, share, words[name]) for name, share in shares.items()})


def solving(name: str, share: Share, words: int) -> FakeServer:
    """Solves a problem always or never, by a lot of its own."""

    def say(prompt: str, seed: int) -> str:
        kind, sum_of = prompt.split(": what is ", 1)
        category, difficulty = kind.split()[-2:]
        lot = int(hashlib.sha256(f"{name} {kind} {sum_of}".encode()).hexdigest()[:8], 16) / 16**8
        right = lot < share[category, difficulty]
        answer = sum_of.split()[0] if right else "no idea"
        thought = "hm " * (words + int(words * lot))
        return f"<think>\n{thought}{seed}\n</think>\n<answer>\n\\boxed{{{answer}}}\n</answer>"

    return FakeServer(say=say)


def piloted(kind: tuple[str | None, str | None], tokens: Sequence[int | None], outcomes: str) -> list[dict[str, Any]]:
    """Rows of `piloted`, one problem each: it passed ("+"), failed ("-") or could not be told ("?")."""
    return [
        {
            "problem_id": f"p{kind[0]}{kind[1]}{number:04d}",
            "category": kind[0],
            "difficulty": kind[1],
            "samples": 1,
            "prompt_tokens": 0 if took is not None else None,
            "completion_tokens": took,
            "seconds": 1.0,
            "told": int(outcome != "?"),
            "passed": int(outcome == "+"),
        }
        for number, (took, outcome) in enumerate(zip(tokens, outcomes, strict=True))
    ]


def seal(
    store: Store, step: str, rows: Sequence[Mapping[str, Any]], sizes: Mapping[Any, int], *, old: bool = False
) -> None:
    """Seal a pilot as if it had tried just these; `old`: as before it was kept who solved what."""
    teacher = step.removeprefix("pilot_")
    strata = [{"teacher": teacher, "category": c, "difficulty": d, "problems": n} for (c, d), n in sizes.items()]
    made = {"piloted": PILOTED.of({**row, "teacher": teacher} for row in rows), "strata": STRATA.of(strata)}
    tables = {name: store.put_table(table, step, 0, name) for name, table in made.items()}
    if old:
        tables["piloted"] = store.put_table(made["piloted"].drop_columns(["told", "passed"]), step, 0, "as_it_was")
    none = Counts(entered=0, kept=0, rejected={}, quarantined={})
    marks = hashlib.sha256(repr((rows, sizes, old)).encode()).hexdigest()
    store.seal(Manifest(step=step, index=0, fingerprint=marks, unit="problem", counts=none, tables=tables))
