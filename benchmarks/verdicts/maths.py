"""Measures the maths verifier: cases, mutants, rewrites, published labels, CPU against plain math-verify, noise."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from math_verify import parse, verify

from benchmarks.verdicts.mutants import FRAMES, mutants, noise
from tracemill.engine.resources import Resources
from tracemill.text.answer_text import normalised_answer
from tracemill.text.extract import reference, stated
from tracemill.verify.math.answers.comparing import same_answer
from tracemill.verify.math.pool import MathPool, Pair
from tracemill.verify.math.verifier import MathVerifier
from tracemill.verify.verifier import Question, Verdict

Labelled = tuple[str, str, str, bool]  # reference, response, problem, published verdict
NOISE = 10_000
LONG = (32_000, 64_000, 128_000)  # characters: 8,000 to 32,000 tokens
_OTHERS = ("ifeval", "think", "repetition", "language")
_MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a sample file; cases lie beside the folder of samples."""
    folder = Path(os.environ["TRACEMILL_DATA"])
    path = folder / f"{name}.jsonl"
    return [json.loads(line) for line in (path if path.exists() else folder.parent / "cases" / path.name).open()]


def judged(asked: Iterable[tuple[str, str] | tuple[str, str, str]]) -> list[Verdict]:
    """Verdicts on references and responses, with the problem's text where it is known, in their order."""
    questions = [
        Question(str(n), str(n), "".join(problem), gold, None, None, said)
        for n, (gold, said, *problem) in enumerate(asked)
    ]
    found = {int(v.generation_id): v for v in MathVerifier().judge(questions, Resources(workers=1))}
    return [found[n] for n in range(len(questions))]


def cases() -> dict[str, float]:
    """Wrong passes, and the share of the equal ones that do not pass."""
    wanted = [row for row in rows("maths") if not row["kind"].startswith(_OTHERS)]
    texts = [
        row["input"].get("response_after_think") or row["input"]["response"].split("</think>")[-1] for row in wanted
    ]
    found = judged((row["input"]["reference"], text) for row, text in zip(wanted, texts, strict=True))
    wrong = [
        row["id"] for row, v in zip(wanted, found, strict=True) if row["right"] == "different" and v.status == "pass"
    ]
    equal = [v.status for row, v in zip(wanted, found, strict=True) if row["right"] == "equal"]
    print("cases that pass and must not:", wrong)
    return {"wrong_passes": len(wrong), "wrong_fails_share": sum(s != "pass" for s in equal) / len(equal)}


def made() -> dict[str, float]:
    """Mutants that pass, and the share of rewrites of a reference that agree with it."""
    golds = sorted({row["answer"] for row in rows("math500")})
    pairs = list(dict.fromkeys(pair for gold in golds for pair in mutants(gold)))
    passed = [
        pair for pair, v in zip(pairs, judged((g, _boxed(m)) for g, m in pairs), strict=True) if v.status == "pass"
    ]
    framed = [(gold, frame.replace("ANSWER", gold)) for gold in golds for frame in FRAMES]
    agree = judged(framed)
    lost = [pair for pair, v in zip(framed, agree, strict=True) if v.status != "pass"]
    print("mutants that pass:", passed[:20], "rewrites that do not:", lost[:20], sep="\n")
    return {"mutants": len(pairs), "mutant_passes": len(passed), "self_agreement": 1 - len(lost) / len(framed)}


def labelled() -> dict[str, float]:
    """Verdicts against the labels of two public files, and the share of each file that nothing was said of."""
    parts = {"gsm8k": list(_gsm8k()), "math8": list(_math8())}
    words = {
        name: [(one[-1], v.status) for one, v in zip(part, _of(part), strict=True)] for name, part in parts.items()
    }
    found = [pair for part in words.values() for pair in part]
    right = [status for label, status in found if label]
    return {
        "real_wrong_passes": sum(status == "pass" for label, status in found if not label),
        "real_wrong_fails": sum(status == "fail" for status in right),
        "vetoed_right": sum(status == "unverifiable" for status in right) / len(right),
        **{
            f"{name}_unverifiable": _share(part, lambda label, word: word == "unverifiable")
            for name, part in words.items()
        },
        **{
            f"{name}_agreement": _share(part, lambda label, word: (word == "pass") == label)
            for name, part in words.items()
        },
    }


def _share(part: list[tuple[bool, str]], says: Callable[[bool, str], bool]) -> float:
    return sum(says(label, word) for label, word in part) / len(part)


def _gsm8k() -> Iterator[Labelled]:
    for row in rows("gsm8k_model_solutions"):
        for one in (row[model] for model in _MODELS):
            yield row["ground_truth"], one["solution"], row["question"], one["is_correct"]


def _math8() -> Iterator[Labelled]:
    for row in rows("math_cot_100x8"):
        for text, right in zip(row["code"], row["score"], strict=True):
            yield row["answer"], text, row["question"], right


def _of(part: list[Labelled]) -> list[Verdict]:
    return judged(one[:3] for one in part)


def cost() -> dict[str, float]:
    """CPU of extraction and comparison against math-verify's own, on long responses and on answers alone."""
    answers = [(row["answer"], _boxed(row["answer"])) for row in rows("math500")]
    solutions = "\n\n".join(row["solution"] for row in rows("math500")).replace(r"\boxed", "")
    whole = [(gold, f"{solutions[:size]}\n{said}") for size in LONG for gold, said in answers[:8]]
    return {
        "cpu_vs_plain_answer": _seconds(_ours, answers) / _seconds(_plain, answers),
        "cpu_vs_plain_whole": _seconds(_ours, whole) / _seconds(_plain, whole),
    }


def _ours(gold: str, text: str) -> None:
    same_answer(normalised_answer(reference(gold)), normalised_answer(stated(text).text))


def _plain(gold: str, text: str) -> None:
    verify(parse(_boxed(gold), parsing_timeout=None), parse(text, parsing_timeout=None), timeout_seconds=None)


def _seconds(work: Callable[[str, str], None], pairs: list[tuple[str, str]]) -> float:
    work(*pairs[0])
    began = time.process_time()
    for pair in pairs:
        work(*pair)
    return time.process_time() - began


def noisy() -> dict[str, float]:
    """Random texts: how many needed more than their limit, and whether a real pair among them changed its verdict."""
    probes = [Pair(r"\frac{1}{2}", "0.5"), Pair(r"\sqrt{8}", r"2\sqrt{2}"), Pair("x+1", "x+2")]
    first = dict(_compared(probes))
    texts = [normalised_answer(noise(seed)) for seed in range(NOISE)]
    pairs = [Pair(one, other) for one, other in zip(texts, reversed(texts), strict=True)]
    began = time.monotonic()
    found = dict(_compared([*pairs, *probes]))
    print(f"{NOISE} random pairs took {time.monotonic() - began:.0f} s", file=sys.stderr)
    over = sum(word in ("timeout", "memory", "crashed") for word in found.values())
    return {"noise_over_limit": over, "noise_changed": sum(found[probe] != first[probe] for probe in probes)}


def _compared(pairs: list[Pair]) -> Iterator[tuple[Pair, str]]:
    with MathPool(1, 10.0, 1 << 30) as pool:
        for pair in pairs:
            yield from pool.submit(pair)
        yield from pool.drain()


def _boxed(answer: str) -> str:
    return rf"$\boxed{{{answer}}}$"


def figures() -> dict[str, float | int]:
    """All of the above."""
    return {**cases(), **made(), **labelled(), **cost(), **noisy()}
