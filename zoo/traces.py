"""How a teacher's response to a problem is written: `<think>…</think>` and `<answer>…</answer>`, sometimes with doubts.

The doubts ("Wait, let me check") repeat a geometric number of times, more often at high levels, so response lengths
have the long tail of real reasoning models: under a small token budget some responses are truncated.
"""

from __future__ import annotations

from random import Random

from zoo.problem import Problem

DIRECTIVE = "Please reason step by step, and put your final answer within \\boxed{}."
SYSTEM = (
    "You are a helpful assistant. To answer the user's question, you first think about the reasoning process and then "
    "provide the user with the answer. The reasoning process and answer are enclosed within <think> and <answer> tags, "
    "respectively, i.e., <think> reasoning process here </think> <answer> answer here </answer>."
)
_OPENINGS = {"en": ("Okay, ", "First, ", "Let me see. ", ""), "zh": ("好的, ", "首先, ", "")}
_DOUBTS = {"en": ("Wait, let me check: ", "Let me verify: "), "zh": ("等等, 再算一遍: ", "检查一下: ")}
_DOUBT_SHARE = 0.04
_EMPTY_SHARE = 0.005
_RECAP_LINES = 2


def request(problem: Problem, rng: Random) -> list[dict[str, str]]:
    """The chat messages that ask a problem, with the paper's system prompt and R1's maths directive at times."""
    text = problem.prompt
    if problem.kind != "code" and rng.random() < 0.4:
        text += rng.choice(("\n", " ")) + DIRECTIVE
    system = [{"role": "system", "content": SYSTEM}] if rng.random() < 0.2 else []
    return [*system, {"role": "user", "content": text}]


def response(problem: Problem, rng: Random) -> str:
    """A correct response in the release's format: `<think>`, thought, `</think>\\n<answer>`, answer, `</answer>`."""
    return f"<think>{thought(problem, rng)}</think>\n<answer>{answer(problem)}</answer>"


def thought(problem: Problem, rng: Random) -> str:
    """The working, step by step, with a chance of repeating its last step; rarely empty, as DeepSeek-R1's is."""
    if rng.random() < _EMPTY_SHARE:
        return "\n\n"
    zh = problem.language == "zh"
    steps = list(problem.thought)
    lines = [rng.choice(_OPENINGS[problem.language]) + steps[0], *steps[1:]]
    while rng.random() < _DOUBT_SHARE + 0.025 * problem.level:
        lines.append(rng.choice(_DOUBTS[problem.language]) + steps[-1])
    if problem.reference_answer is not None:
        lines.append(f"所以答案是{problem.reference_answer}" if zh else f"So the answer is {problem.reference_answer}")
    return ".\n".join(lines) + ".\n"


def answer(problem: Problem) -> str:
    """The answer part: the last results and the boxed value, or one fenced code block."""
    if problem.code is not None:
        return f"\n```python\n{problem.code}\n```\n"
    recap = "".join(f"{line}\n" for line in problem.recap[-_RECAP_LINES:])
    closing = "答案是" if problem.language == "zh" else "The answer is "
    return f"\n{recap}{closing}\\boxed{{{problem.reference_answer}}}.\n"
