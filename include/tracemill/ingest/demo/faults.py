"""The faults that the demo plants, and which step must catch each, for which reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tracemill.engine.ids import Bucket

PlantedUnit = Literal["row", "problem", "generation", "one_of"]


@dataclass(frozen=True)
class Catch:
    """Where a planted fault ends. Unit `one_of`: exactly one of the problem's responses ends there."""

    unit: PlantedUnit
    step: str
    bucket: Bucket
    reason: str


CATCHES: dict[str, Catch] = {
    "malformed_json": Catch("row", "ingest", "quarantined", "malformed_json"),
    "bad_utf8": Catch("row", "ingest", "quarantined", "bad_utf8"),
    "missing_column": Catch("row", "ingest", "quarantined", "missing_column"),
    "null_problem": Catch("row", "ingest", "quarantined", "null_value"),
    "blank_problem": Catch("row", "ingest", "quarantined", "blank_prompt"),
    "same_problem": Catch("row", "ingest", "rejected", "same_problem"),
    "exact_duplicate": Catch("problem", "unique", "rejected", "exact_duplicate"),
    "near_duplicate": Catch("problem", "unique", "rejected", "near_duplicate"),
    "contaminated_exact": Catch("problem", "decontaminate", "rejected", "contaminated_exact"),
    "contaminated_ngram": Catch("problem", "decontaminate", "rejected", "contaminated_ngram"),
    "contaminated_alignment": Catch("problem", "decontaminate", "rejected", "contaminated_alignment"),
    "no_think": Catch("generation", "rules", "rejected", "no_think"),
    "bad_template": Catch("generation", "rules", "rejected", "bad_template"),
    "blank_think": Catch("generation", "rules", "rejected", "blank_think"),
    "blank_answer": Catch("generation", "rules", "rejected", "blank_answer"),
    "repetition": Catch("generation", "rules", "rejected", "repetition"),
    "truncated": Catch("generation", "rules", "rejected", "truncated"),
    "wrong_maths": Catch("generation", "verify_math", "rejected", "wrong_answer"),
    "no_answer": Catch("generation", "verify_math", "rejected", "no_answer"),
    "unclear_gold": Catch("generation", "verify_math", "quarantined", "prose_gold"),
    "wrong_code": Catch("generation", "verify_code", "rejected", "wrong_answer"),
    "crashing_code": Catch("generation", "verify_code", "rejected", "runtime_error"),
    "endless_code": Catch("generation", "verify_code", "rejected", "time_limit_exceeded"),
    "unusable_tests": Catch("generation", "verify_code", "quarantined", "bad_tests"),
    "unverified": Catch("generation", "select", "rejected", "unverified"),
    "surplus": Catch("one_of", "select", "rejected", "surplus"),
}


def good(think: str, answer: str) -> str:
    """A response in the strict template."""
    return f"<think>{think}\n</think>\n<answer>\n{answer}\n</answer>"


def badly_formatted(kind: str, think: str, answer: str, turn: int) -> tuple[str, str]:
    """The response with one fault of form, and its finish reason. `turn` chooses among the variants of a fault."""
    if kind == "truncated":
        return (f"<think>{think[: len(think) // 2]}", good(think, answer)[: -len(answer) // 2])[turn % 2], "length"
    variants = {
        "no_think": (answer,),
        "bad_template": (
            good(think, answer).removesuffix("</answer>"),
            f"<think>{think}\n<answer>\n{answer}\n</answer>",
            f"Sure, here it is. {good(think, answer)}",
        ),
        "blank_think": (good("", answer), good(" \n", answer)),
        "blank_answer": (good(think, ""), good(think, "  \n ")),
        "repetition": (good(think + " Wait, let me check that once more." * 60, answer),),
    }[kind]
    return variants[turn % len(variants)], "stop"
