"""Runs IFEval's official checkers on the mutants and keeps their verdicts as one character a check.

    python -m benchmarks.verdicts.official_instructions DATA FILE

Needs an environment with `lm-eval`'s package `lm_eval.tasks.ifeval` (Apache-2.0 code of Google), nltk with `punkt_tab`,
and langdetect; tracemill needs none of them. "1" and "0" are followed and not, "?" what came out differently when asked
again (langdetect draws at random), "x" what the checker raised an error on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.verdicts.instruction_mutants import Check, checks, digest

AGAIN = 5


def main(data: Path, target: Path) -> None:
    """Write the verdicts, strict and loose, with the digest of what they are for."""
    from lm_eval.tasks.ifeval import utils

    found = list(checks(data))
    kinds = {"strict": utils.test_instruction_following_strict, "loose": utils.test_instruction_following_loose}
    verdicts = {kind: "".join(_verdict(utils, test, check) for check in found) for kind, test in kinds.items()}
    target.write_text(json.dumps({"checks": len(found), "digest": digest(found), **verdicts}) + "\n", encoding="utf-8")


def _verdict(utils: Any, test: Callable[..., Any], check: Check) -> str:
    example = utils.InputExample(key=0, instruction_id_list=[check.name], prompt="", kwargs=[check.arguments])
    drawn = check.name.startswith("language:") or check.name.startswith("change_case:english")
    try:
        said = {bool(test(example, check.response).follow_all_instructions) for _ in range(AGAIN if drawn else 1)}
    except Exception:  # noqa: BLE001  (a checker that breaks says nothing)
        return "x"
    return str(int(said.pop())) if len(said) == 1 else "?"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
