"""Says by which rule a problem's responses are scored, and what a pass must exceed: DeepDistill's table of categories.

DeepDistill (arXiv 2504.17565), section 2.4. A category that the table does not know is scored by what the problem
carries: tests, a reference answer, constraints, else nothing but the reward model can tell. So is a problem of code
without tests ("what does this program print?") and one of following instructions without constraints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from tracemill.engine.categories import INSTRUCTION, named

Rule = Literal["math", "code", "science", "instruction", "reward"]
RULES: tuple[str, ...] = get_args(Rule)

# The paper's thresholds, each as a share of its rule's own range: above 0.99; science above 4.99 of 5; chat above 0.7.
_PAPER: Mapping[Rule, float] = {"math": 0.99, "code": 0.99, "science": 4.99 / 5, "instruction": 0.99, "reward": 0.7}
RULE_OF: Mapping[str, Rule] = {
    "math": "math",
    "code": "code",
    "science": "science",
    INSTRUCTION: "instruction",
    "multi-turn": "reward",
    "other": "reward",
}
_CARRIED: frozenset[Rule] = frozenset(("code", "instruction"))  # rules that no judge can stand in for
_CATEGORY_OF: Mapping[Rule, str] = {rule: category for category, rule in RULE_OF.items()}  # reward: other, the last


class Standard(NamedTuple):
    """How responses to a problem are scored: its category by its one name, the rule, and the threshold in [0, 1]."""

    category: str
    rule: Rule
    threshold: float


def standard(
    category: str | None, carries: Sequence[Rule], rules: Mapping[str, Rule], thresholds: Mapping[str, float]
) -> Standard:
    """The standard of a category; `rules` and `thresholds` are a recipe's, by category, and outweigh the paper's.

    `carries` are the rules of what the problem carries, the first one first, for a category that neither table knows
    (or none), and for one whose rule asks for tests or constraints that the problem lacks.
    """
    name = named(category or "")
    usual = RULE_OF.get(name, "reward")
    if name not in RULE_OF or (usual in _CARRIED and usual not in carries):
        usual = next(iter(carries), usual)
    rule = rules.get(name, usual)
    found = name or _CATEGORY_OF[rule]
    return Standard(found, rule, thresholds.get(found, _PAPER[rule]))
