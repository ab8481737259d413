# ruff: noqa: E501
"""The workload: 120 standard-input programs and 120 function problems, 20 tests each, made from a seed.

Twelve and ten kinds of easy-to-medium contest tasks; variants of a kind differ in a constant, so no two are the same.
"""

import random
from dataclasses import asdict, dataclass
from typing import Any

TESTS = 20
_STDIO_VARIANTS, _CALL_VARIANTS = 10, 12
_NUMBERS = "n = int(input())\nxs = list(map(int, input().split()))\n"

_STDIO = {
    "sum": _NUMBERS + "print(sum(x * {k} for x in xs))",
    "max-gap": _NUMBERS + "xs.sort()\nprint(max((b - a for a, b in zip(xs, xs[1:])), default=0) + {k})",
    "inversions": _NUMBERS + "print(sum(xs[i] > xs[j] + {k} for i in range(n) for j in range(i + 1, n)))",
    "kadane": _NUMBERS + "best = run = xs[0]\nfor x in xs[1:]:\n    run = max(x, run + x)\n    best = max(best, run)\nprint(best * {k})",
    "frequencies": "from collections import Counter\n" + _NUMBERS + "for v, c in sorted(Counter(x % {k} for x in xs).items()):\n    print(v, c)",
    "prefix-sums": _NUMBERS + "total = 0\nfor x in xs:\n    total += x + {k}\n    print(total)",
    "increasing": "from bisect import bisect_left\n" + _NUMBERS + "tails = []\nfor x in xs:\n    i = bisect_left(tails, x // {k})\n"
    "    tails[i:i + 1] = [x // {k}]\nprint(len(tails))",
    "heap": "import heapq\n" + _NUMBERS + "heapq.heapify(xs)\ncost = 0\nwhile len(xs) > 1:\n    s = heapq.heappop(xs) + heapq.heappop(xs)\n"
    "    cost += s\n    heapq.heappush(xs, s)\nprint(cost + {k})",
    "reverse-words": "import sys\nfor line in sys.stdin:\n    print(' '.join(w[::-1] for w in line.split()[::{k} % 3 + 1]))",
    "digits": _NUMBERS + "print(*[sum(map(int, str(abs(x * {k})))) for x in xs])",
    "sieve": _NUMBERS + "m = 2000\nok = [True] * (m + 1)\nfor i in range(2, 45):\n    if ok[i]:\n        for j in range(i * i, m + 1, i):\n"
    "            ok[j] = False\nprint(sum(ok[abs(x) % m] for x in xs) + {k})",
    "knapsack": _NUMBERS + "best = [0] * 101\nfor x in xs:\n    w = abs(x) % 20 + 1\n    for c in range(100, w - 1, -1):\n"
    "        best[c] = max(best[c], best[c - w] + w * {k})\nprint(best[100])",
}  # fmt: skip
_CALLS = {
    "total": "def solve(xs):\n    return sum(xs) * {k}",
    "two-sum": "def solve(xs):\n    seen = {{}}\n    for i, x in enumerate(xs):\n        if {k} - x in seen:\n            return [seen[{k} - x], i]\n"
    "        seen[x] = i\n    return []",
    "rotate": "def solve(xs):\n    k = {k} % len(xs)\n    return xs[k:] + xs[:k]",
    "unique": "def solve(xs):\n    return sorted(set(x % {k} for x in xs))",
    "runs": "from itertools import groupby\ndef solve(xs):\n    return [[k, len(list(g))] for k, g in groupby(x % {k} for x in xs)]",
    "best-run": "class Solution:\n    def solve(self, xs: List[int]) -> int:\n        best = run = xs[0]\n        for x in xs[1:]:\n"
    "            run = max(x, run + x)\n            best = max(best, run)\n        return best + {k}",
    "pairs": "class Solution:\n    def solve(self, xs: List[int]) -> int:\n        return sum((a + b) % {k} == 0 for a, b in zip(xs, xs[1:]))",
    "text": "def solve(xs):\n    return '-'.join(str(x + {k}) for x in xs)",
    "table": "def solve(xs):\n    t = {{}}\n    for x in xs:\n        t[str(x % {k})] = t.get(str(x % {k}), 0) + 1\n    return t",
    "halves": "def solve(xs):\n    m = len(xs) // 2\n    return sum(xs[:m]) > sum(xs[m:]) + {k}",
}  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A program with its tests: texts for kind "stdio", JSON values for kind "call" (function `solve`, one list)."""

    name: str
    kind: str
    source: str
    inputs: list[Any]
    outputs: list[Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the program as JSON."""
        return asdict(self)


def _numbers(seed: random.Random) -> list[int]:
    return [seed.randint(-1000, 1000) for _ in range(seed.randint(5, 40))]


def _stdio_output(source: str, text: str) -> str:
    """Run a program of ours in this process to know its output."""
    import builtins
    import io
    import sys
    from contextlib import redirect_stdout

    captured, stdin = io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(text)
    try:
        with redirect_stdout(captured):
            exec(compile(source, "program", "exec"), {"__name__": "__main__", "__builtins__": builtins})
    finally:
        sys.stdin = stdin
    return captured.getvalue()


def _call_output(source: str, xs: list[int]) -> Any:

    names: dict[str, Any] = {"List": list}
    exec(compile(source, "program", "exec"), names)
    solve = names["Solution"]().solve if "Solution" in names else names["solve"]
    return solve(list(xs))


def programs(seed: int = 7) -> list[Program]:
    """Return the whole workload: the standard-input programs first."""
    draw = random.Random(seed)
    found = []
    for kind, table, variants in (("stdio", _STDIO, _STDIO_VARIANTS), ("call", _CALLS, _CALL_VARIANTS)):
        for variant in range(variants):
            for name, template in table.items():
                source = template.format(k=variant + 2)
                lists = [_numbers(draw) for _ in range(TESTS)]
                if kind == "stdio":
                    inputs: list[Any] = [f"{len(xs)}\n{' '.join(map(str, xs))}\n" for xs in lists]
                    outputs = [_stdio_output(source, text) for text in inputs]
                else:
                    inputs, outputs = lists, [_call_output(source, xs) for xs in lists]
                found.append(Program(f"{name}-{variant}", kind, source, inputs, outputs))
    return found
