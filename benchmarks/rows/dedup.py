"""What dedup merges and what it keeps apart: pairs written by hand, families of one form, and sources' own wrappings.

The pairs stand in text files beside this module; the wrapped problems are MATH-500's and GSM8K's where $TRACEMILL_DATA
names them, else those of the reworded pairs.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from tracemill.dedup.cluster import Cluster
from tracemill.dedup.sign import Sign
from tracemill.engine.ids import problem_id
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.engine.tables import columns_of

FOLDER = Path(__file__).parent
DEFAULT = {"kind": "multilingual"}
ENGLISH, CHINESE = 50, 30  # of the reworded pairs; the rest are across the two
WRAPPINGS = (
    "12. {}", "(3) {}", "Problem 5: {}", "Example 8 {}", "1.1. {}", "**Question 4.** {}", "例1 {}", "第3题 {}",
    "（本题5分）{}", "{} (5 points)", "36. (10 points) {}",
    "{}\n\nPresent the answer in LaTex format: \\boxed{{Your answer}}",
    "{} Please reason step by step, and put your final answer within \\boxed{{}}.",
    "{}\nLet's think step by step.", "Return your final response within \\boxed{{}}. {}",
    "{}\n请通过逐步推理来解答问题，并把最终答案放置于\\boxed{{}}中。", "{}\n\nExpress your answer in simplest form.",
)  # fmt: skip


def dropped(texts: Sequence[str], embedder: Mapping[str, Any] = DEFAULT) -> dict[str, str]:
    """What the steps sign and cluster drop of these texts as one shard: the text dropped, and the text kept for it."""
    rows = {problem_id(text): text for text in texts}
    schema = columns_of("problems")
    problems = pa.Table.from_pylist([{"id": k, "prompt": v, "source_rank": 0} for k, v in rows.items()], schema=schema)
    with tempfile.TemporaryDirectory() as folder:
        store, resources = Store.at(folder, create=True), Resources(workers=1)
        sealed = [_sealed(store, "ingest", {"problems": problems})]
        step = Sign.model_validate({"kind": "sign", "embedder": embedder})
        signed = step.run(resources, Inputs(store, 0, {0: sealed}, [], 1))
        sealed.append(_sealed(store, "sign", signed.tables))
        found = Cluster(kind="cluster").run(resources, Inputs(store, 0, {0: sealed}, [], 1)).tables["duplicates"]
    pairs = zip(found["problem_id"].to_pylist(), found["duplicate_of"].to_pylist(), strict=True)
    return {rows[one]: rows[other] for one, other in pairs}


def _sealed(store: Store, step: str, tables: Mapping[str, Any]) -> Manifest:
    stored = {name: store.put_table(table, step, 0, name) for name, table in tables.items()}
    counts = Counts(entered=0, kept=0, rejected={}, quarantined={})
    return Manifest(step=step, index=0, fingerprint="f", unit="problem", counts=counts, tables=stored)


def pairs_of(name: str) -> list[tuple[str, str]]:
    """The pairs of a file beside this module."""
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [(one, other) for one, other in (line.split(" | ") for line in lines if not line.startswith("#"))]


def merged(pairs: Sequence[tuple[str, str]], embedder: Mapping[str, Any] = DEFAULT) -> list[bool]:
    """Of each pair whether its two texts were found to be one problem, all texts being in one shard."""
    kept_for = dropped([text for pair in pairs for text in pair], embedder)
    return [kept_for.get(one, one) == kept_for.get(other, other) for one, other in pairs]


def twins(embedder: Mapping[str, Any] = DEFAULT) -> tuple[int, int]:
    """How many of a hundred questions about a hundred concepts are dropped: in Chinese, in English."""
    _, chinese, english = (FOLDER / "concepts.txt").read_text(encoding="utf-8").splitlines()
    asked = [f"请用通俗易懂的语言解释一下什么是{name}，并举一个生活中的例子。" for name in chinese.split()]
    told = [f"Explain in plain words what {name} is, and give an example from life." for name in english.split(", ")]
    return len(dropped(asked, embedder)), len(dropped(told, embedder))


def wrapped_found(embedder: Mapping[str, Any] = DEFAULT, most: int = 170) -> float:
    """The share of problems found again when a source's wrapping is put around them."""
    texts = _problems(most)
    pairs = [(text, wrapping.format(text)) for text, wrapping in zip(texts, cycle(WRAPPINGS), strict=False)]
    found = merged(pairs, embedder)
    return sum(found) / len(found)


def _problems(most: int) -> list[str]:
    file = Path(os.environ.get("TRACEMILL_DATA", "")) / "math500.jsonl"
    if not file.is_file():
        return list(islice((one for one, _ in pairs_of("reworded_pairs")), most))
    return [json.loads(line)["problem"] for line in islice(file.open(encoding="utf-8"), most)]


def figures() -> dict[str, float | int]:
    """The figures of dedup with the default embedder."""
    minimal, reworded = merged(pairs_of("minimal_pairs")), merged(pairs_of("reworded_pairs"))
    chinese, english = twins()
    return {
        "minimal_pairs_merged": sum(minimal) / len(minimal),
        "chinese_twins_dropped": chinese / 100,
        "english_twins_dropped": english / 100,
        "prefix_duplicates_found": wrapped_found(),
        "reworded_found_english": sum(reworded[:ENGLISH]) / ENGLISH,
        "reworded_found_chinese": sum(reworded[ENGLISH : ENGLISH + CHINESE]) / CHINESE,
        "reworded_found_across": sum(reworded[ENGLISH + CHINESE :]) / (len(reworded) - ENGLISH - CHINESE),
    }
