"""Asks a model whether a problem is a benchmark item in other words, about candidates that rules leave open.

As the decontamination of NVIDIA's NeMo-Skills and of LMSYS's llm-decontaminator (arXiv 2311.04850) does, but only where
alignment is in doubt, so that the number of questions follows the number of near items and not the corpus.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from tracemill.judge.asker import Asker

_SAID = re.compile(r"same\W{0,6}(yes|no)\b", re.I)


class OverlapJudge(Asker):
    """`doubt`: the alignment score from which a pair is asked about, up to the threshold that decides by itself.

    `at_most`: pairs that are asked about in a shard, those with the highest scores; the others are kept.
    """

    prompt: str = "overlap.v1"  # its file below prompts/, without .txt
    doubt: Annotated[float, Field(gt=0, lt=1)] = 0.05
    at_most: Annotated[int, Field(ge=1)] = 1000

    def parse(self, said: str) -> bool | None:
        """The answer; None where there is none, or where both are said."""
        answers = {found.lower() for found in _SAID.findall(said)}
        return answers == {"yes"} if len(answers) == 1 else None
