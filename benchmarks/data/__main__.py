"""Measures dedup, decontamination, embedding and refresh at scale; the last line of output is JSON."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from benchmarks.data import accuracy, open_r1
from benchmarks.data.corpus import Corpus, written
from benchmarks.data.language import Language
from benchmarks.data.pipeline import recipe_for, run_all
from benchmarks.data.refresh import grown

REFRESH = 0.01
BENCHMARK_SIZES = {"aime24": 30, "aime25": 30, "math500": 500, "gpqa_diamond": 198, "livecodebench": 880}
HEADLINE = (
    "rows", "seconds", "peak_gib", "dedup_recall", "dedup_precision", "decontaminate_vs_open_r1", "refresh_share",
)  # fmt: skip


def main(
    rows: Annotated[list[int] | None, typer.Option(help="Corpus sizes, small to large.")] = None,
    workers: Annotated[int, typer.Option(help="Processes for map steps, threads for gather steps.")] = 2,
    semantic_rows: Annotated[
        int, typer.Option(help="Vectors of the semantic measurement; 0 leaves it out.")
    ] = 1_000_000,
    embedded_texts: Annotated[int, typer.Option(help="Texts of the embedding measurement; 0 leaves it out.")] = 1000,
    folder: Annotated[Path | None, typer.Option(help="Where to work (6 GB at 1.4 M rows). Default: TMPDIR.")] = None,
) -> None:
    """Run the CPU side of a recipe (ingest to decontaminated, hashing embedder) on invented corpora of growing size."""
    results: dict[str, Any] = {}
    for size in rows or [100_000, 1_400_000]:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            results = _scale(Path(scratch), size, workers)
        _say(results)
    # late: worker processes start with this file, and torch alone would take each two seconds
    from benchmarks.data import embedding, vectors

    if semantic_rows:
        results |= _said(vectors.measured(semantic_rows))
    if embedded_texts:
        results |= _said(embedding.measured(_texts(embedded_texts)))
    headline = {name: results[name] for name in HEADLINE}
    print(json.dumps({**headline, **{k: v for k, v in results.items() if k not in headline}}))


def _scale(scratch: Path, size: int, workers: int) -> dict[str, Any]:
    """One corpus: the full run, what it decided, the rule of open-r1 on a part of the rows, and a refresh."""
    corpus, store = written(scratch, size), scratch / "store"
    full = run_all(recipe_for(corpus), store, workers)
    found = {**accuracy.dedup(corpus, store), **accuracy.decontamination(corpus, store)}
    compared = _open_r1(corpus)
    new = grown(corpus, REFRESH)
    again = run_all(recipe_for(corpus), store, 1)  # in one process, as `tracemill refresh` runs it
    shutil.rmtree(store)
    return {
        "rows": size,
        "seconds": round(sum(full.seconds.values()), 1),
        "cpu_seconds": round(full.cpu_seconds, 1),
        "peak_gib": round(full.peak_gib, 2),
        "seconds_by_step": full.seconds,
        "cpu_by_step": full.cpu,
        **found,
        **compared,
        "refresh_rows": new,
        "refresh_cpu_seconds": round(again.cpu_seconds, 1),
        "refresh_seconds_by_step": again.seconds,
        "refresh_cpu_by_step": again.cpu,
        "refresh_share": again.cpu_seconds / full.cpu_seconds,
        "refresh_share_of_steps": sum(again.cpu.values()) / sum(full.cpu.values()),  # without the starts of processes
    }


def _open_r1(corpus: Corpus) -> dict[str, float]:
    """Both rules on the same rows, against invented benchmarks of the sizes that open-r1 checks; what was planted in
    the corpus is part of one of them, so both have something to find.
    """
    language = Language(7)
    items = {
        name: [language.item("maths" if k % 2 else "chat") for k in range(size)]
        for name, size in BENCHMARK_SIZES.items()
    }
    planted = [orjson.loads(line)["q"] for line in corpus.benchmark.read_bytes().splitlines()]
    items["math500"][: len(planted)] = planted
    lines = corpus.source(0).read_bytes().splitlines()[:50_000]
    return open_r1.ratio([orjson.loads(line)["prompt"] for line in lines], items)


def _texts(count: int) -> list[str]:
    language = Language(3)
    texts = [language.problem(("maths", "code", "chat")[k % 3]) for k in range(count // 2)]
    return texts + [text.replace("a", "e", 1) for text in texts]


def _said(found: dict[str, Any]) -> dict[str, Any]:
    _say(found)
    return found


def _say(found: dict[str, Any]) -> None:
    print("\n".join(f"{name:28} {value}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    typer.run(main)
