"""One rule for several verdicts: a fail is outvoted by nobody but the judge that the recipe allows it."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemill.engine.standing import standing
from tracemill.engine.tables import columns_of

JUDGE = "correctness:qwen"


def table(verdicts: list[tuple[Any, ...]]) -> pa.Table:
    """Verdicts on one response: verifier, status, and of a judge the verifiers that it may overrule."""
    rows = [
        {
            "generation_id": "g",
            "verifier": v,
            "status": s,
            "reason": f"{v} says {s}",
            "overrules": more[0] if more else None,
        }
        for v, s, *more in verdicts
    ]
    return pa.Table.from_pylist(rows, columns_of("verdicts"))


RIGHT, NO_WORD = (JUDGE, "pass", ["math"]), (JUDGE, "unverifiable", ["math"])
CASES = {  # trap: verdicts, what they come to, who decided, who passed
    "one pass": ([("math", "pass")], "pass", "math", "math"),
    "maths right, instruction broken": ([("math", "pass"), ("instruction", "fail")], "fail", "instruction", "math"),
    "the order says nothing": ([("instruction", "fail"), ("math", "pass")], "fail", "instruction", "math"),
    "could not tell is no pass": ([("math", "pass"), ("code", "unverifiable")], "unverifiable", "code", "math"),
    "fail before could not tell": ([("math", "unverifiable"), ("code", "fail")], "fail", "code", None),
    "the first of two fails is named": ([("code", "fail"), ("instruction", "fail")], "fail", "code", None),
    "second opinion on maths": ([("math", "fail"), RIGHT], "pass", JUDGE, JUDGE),
    "second opinion where maths could not tell": ([("math", "unverifiable"), RIGHT], "pass", JUDGE, JUDGE),
    "no word on instructions": ([("instruction", "fail"), RIGHT], "fail", "instruction", JUDGE),
    "unless the recipe gives it": ([("code", "fail"), (JUDGE, "pass", ["code"])], "pass", JUDGE, JUDGE),
    "a judge that may overrule nobody": ([("math", "fail"), (JUDGE, "pass", [])], "fail", "math", JUDGE),
    "a judge without a word": ([("math", "fail"), NO_WORD], "fail", "math", None),
    "a judge's fail counts as any": ([("math", "pass"), (JUDGE, "fail", ["math"])], "fail", JUDGE, "math"),
    "a judge that does not say overrules maths": ([("math", "fail"), (JUDGE, "pass")], "pass", JUDGE, JUDGE),
    "and maths alone": ([("code", "fail"), (JUDGE, "pass")], "fail", "code", JUDGE),
    "a verifier is no judge": ([("math", "fail"), ("exact", "pass")], "fail", "math", "exact"),
    "two judges that differ": ([("math", "fail"), RIGHT, ("science:q", "fail")], "fail", "science:q", JUDGE),
}


@pytest.mark.parametrize(("verdicts", "status", "decided", "passed"), CASES.values(), ids=CASES)
def test_what_verdicts_come_to(verdicts: list[Any], status: str, decided: str, passed: str | None) -> None:
    (row,) = standing(table(verdicts)).to_dicts()
    assert (row["status"], row["verifier"], row["passed_by"]) == (status, decided, passed)
    assert row["reason"] == f"{decided} says {status}"


def test_trust_is_the_lowest_of_what_passed() -> None:
    rows = table([("code", "pass"), ("math", "pass"), ("instruction", "pass")]).to_pylist()
    trusts = ["low", "high", None]
    low = pa.Table.from_pylist([{**r, "trust": t} for r, t in zip(rows, trusts, strict=True)], columns_of("verdicts"))
    assert standing(low)["trust"].to_list() == ["low"]
    assert standing(low.slice(1))["trust"].to_list() == ["high"]
    assert standing(low.slice(2))["trust"].to_list() == [None]


def test_no_verdicts_come_to_nothing_and_a_status_that_there_is_not_is_an_error() -> None:
    assert standing(columns_of("verdicts").empty_table()).height == 0
    with pytest.raises(pl.exceptions.InvalidOperationError):
        standing(table([("math", "passed")]))


VERIFIERS = st.sampled_from(["math", "code", "instruction", JUDGE, "science:qwen"])
STATUSES = st.sampled_from(["pass", "fail", "unverifiable"])
RIGHTS = st.none() | st.lists(st.sampled_from(["math", "code"]), unique=True)


@given(st.lists(st.tuples(st.sampled_from("abc"), VERIFIERS, STATUSES, RIGHTS), max_size=12))
def test_a_pass_means_that_each_fail_was_overruled_by_name(
    verdicts: list[tuple[str, str, str, list[str] | None]],
) -> None:
    rows = [
        {"generation_id": g, "verifier": v, "status": s, "overrules": r if ":" in v else None}
        for g, v, s, r in verdicts
    ]
    found = standing(pa.Table.from_pylist(rows, columns_of("verdicts")))
    assert sorted(found["generation_id"]) == sorted({g for g, *_ in verdicts})
    for row in found.filter(status="pass").to_dicts():
        own = [(v, s, r) for g, v, s, r in verdicts if g == row["generation_id"]]
        rights = {name for v, s, r in own if s == "pass" and ":" in v for name in (["math"] if r is None else r)}
        assert all(s == "pass" or v in rights for v, s, _ in own)
        assert any(s == "pass" for _, s, _ in own)
