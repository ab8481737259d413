# ruff: noqa: E501
"""Correct programs in every idiom of input and output: a verdict other than accepted is a false reject."""

from tracemill.sandbox.base import AssertSuite, CallSuite, Compare, HumanEvalSuite, PytestSuite, StdioSuite
from tracemill.sandbox.conformance.case import ACCEPTED, PLAIN_TESTS, RUN_TESTS, SUM, Case, call_suite

_STDIO = {
    "input": "a, b = map(int, input().split())\nprint(a + b)",
    "stdin-read": "import sys\nprint(sum(map(int, sys.stdin.read().split())))",
    "stdin-iterate": "import sys\nfor line in sys.stdin:\n    print(sum(map(int, line.split())))",
    "stdin-readline": "import sys\ninput = sys.stdin.readline\nprint(sum(map(int, input().split())))",
    "stdin-readlines": "import sys\nprint(sum(map(int, sys.stdin.readlines()[0].split())))",
    "buffer-read": "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))",
    "buffer-readline": "import sys\nprint(sum(map(int, sys.stdin.buffer.readline().split())))",
    "buffer-readlines": "import sys\nprint(sum(map(int, sys.stdin.buffer.readlines()[0].split())))",
    "buffer-iterate": "import sys\nfor line in sys.stdin.buffer:\n    print(sum(map(int, line.split())))",
    "open-0": "print(sum(map(int, open(0).read().split())))",
    "open-dev-stdin": "print(sum(map(int, open('/dev/stdin').read().split())))",
    "os-read": "import os\nprint(sum(map(int, os.read(0, 1 << 20).split())))",
    "fileinput": "import fileinput\nfor line in fileinput.input():\n    print(sum(map(int, line.split())))",
    "stdout-write": "import sys\nsys.stdout.write(str(sum(map(int, input().split()))) + '\\n')",
    "stdout-buffer": "import sys\nsys.stdout.buffer.write(b'%d' % sum(map(int, input().split())))",
    "os-write": "import os\nos.write(1, str(sum(map(int, input().split()))).encode())",
    "no-newline": "print(sum(map(int, input().split())), end='')",
    "trailing-space": "print(sum(map(int, input().split())), end=' \\n\\n')",
    "exit-0": "print(sum(map(int, input().split())))\nexit(0)",
    "sys-exit": "import sys\nprint(sum(map(int, input().split())))\nsys.exit()",
    "os-exit-after-flush": "import os, sys\nprint(sum(map(int, input().split())))\nsys.stdout.flush()\nos._exit(0)",
    "main-guard": "def main():\n    print(sum(map(int, input().split())))\nif __name__ == '__main__':\n    main()",
    "global-in-def": "total = 0\ndef go():\n    global total\n    total = sum(map(int, input().split()))\ngo()\nprint(total)",
    "stringio-stdout": "import io, sys\nreal = sys.stdout\nsys.stdout = io.StringIO()\nprint(sum(map(int, input().split())))\n"
    "real.write(sys.stdout.getvalue())",
    "thread-deep-recursion": "import sys, threading\nsys.setrecursionlimit(60000)\nthreading.stack_size(128 << 20)\n"
    "def depth(n):\n    return 0 if n == 0 else 1 + depth(n - 1)\ndef main():\n    depth(20000)\n"
    "    print(sum(map(int, input().split())))\nt = threading.Thread(target=main)\nt.start()\nt.join()",
    "late-thread": "import threading, time\nn = sum(map(int, input().split()))\n"
    "threading.Thread(target=lambda: (time.sleep(0.05), print(n))).start()",
    "atexit": "import atexit\nn = sum(map(int, input().split()))\natexit.register(lambda: print(n))",
    "tempfile": "import tempfile\nwith tempfile.TemporaryFile('w+') as f:\n    f.write(input())\n    f.seek(0)\n"
    "    print(sum(map(int, f.read().split())))",
    "write-own-file": "open('out.txt', 'w').write(input())\nprint(sum(map(int, open('out.txt').read().split())))",
    "asyncio": "import asyncio\nasync def main():\n    await asyncio.sleep(0)\n    print(sum(map(int, input().split())))\n"
    "asyncio.run(main())",
    "class-solution": "class Solution:\n    def solve(self, a, b):\n        return a + b\n"
    "print(Solution().solve(*map(int, input().split())))",
    "swallowed-error": "n = sum(map(int, input().split()))\ntry:\n    input()\nexcept EOFError:\n    print(n)",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass P:\n    a: int\n    b: int\n"
    "print(sum(vars(P(*map(int, input().split()))).values()))",
    "stderr-noise": "import sys\nprint('debug', file=sys.stderr)\nprint(sum(map(int, input().split())))",
}

_NODES = (
    "class Solution:\n    def rev(self, head: Optional[ListNode]) -> Optional[ListNode]:\n        last = None\n"
    "        while head:\n            head.next, last, head = last, head, head.next\n        return last\n"
)
_FLOAT = Compare(name="float", rel=1e-6)
_ADD = "def add(a, b):\n    return a + b\n"


def _with(compare: Compare, *outputs: str) -> StdioSuite:
    return StdioSuite(inputs=("1 2\n", "2 2\n"), outputs=outputs, compare=compare)


CASES = [
    *(Case(name, "correct", source, ACCEPTED) for name, source in _STDIO.items()),
    Case(
        "numpy", "correct", "import numpy as np\nprint(np.array(input().split(), int).sum())", ACCEPTED, needs="numpy"
    ),
    Case(
        "float-compare",
        "correct",
        "print(sum(map(int, input().split())) / 3)",
        ACCEPTED,
        _with(_FLOAT, "1.0000001\n", "1.33333333\n"),
    ),
    Case(
        "checker",
        "correct",
        "print(*reversed(input().split()))",
        ACCEPTED,
        _with(
            Compare(
                name="checker",
                checker="import sys\ni, o, a = (open(p).read().split() for p in sys.argv[1:])\n"
                "sys.exit(sorted(i) != sorted(o))",
            ),
            "",
            "",
        ),
    ),
    Case(
        "any-of",
        "correct",
        "input()\nprint('b')",
        ACCEPTED,
        _with(Compare(name="any_of", answers=(("b",), ("b",))), "a", "a"),
    ),
    Case("call", "correct", _ADD, ACCEPTED, call_suite()),
    Case("call-solution", "correct", "class Solution:\n    def add(self, a, b): return a + b", ACCEPTED, call_suite()),
    Case(
        "call-prelude",
        "correct",
        "def add(a: List[int], b) -> int:\n    return Counter([a, b]).total() + 1",
        ACCEPTED,
        call_suite(),
    ),
    Case("call-tuple-as-list", "correct", "def add(a, b): return (a + b,)", ACCEPTED, call_suite([3])),
    Case(
        "call-linked-list",
        "correct",
        _NODES,
        ACCEPTED,
        HumanEvalSuite(
            test="def check(candidate):\n    assert is_same_list(candidate(head = list_node([1,2])), list_node([2,1]))\n",
            entry_point="Solution().rev",
        ),
    ),
    Case(
        "asserts",
        "correct",
        _ADD,
        ACCEPTED,
        AssertSuite(lines=("assert add(1, 2) == 3", "assert add('a', 'b') == 'ab'")),
    ),
    Case(
        "humaneval",
        "correct",
        _ADD,
        ACCEPTED,
        HumanEvalSuite(
            test="def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(0, 0) == 0\n",
            entry_point="add",
        ),
    ),
    Case("pytest-lowered", "correct", _ADD, ACCEPTED, PLAIN_TESTS),
    Case("pytest-two-slots", "correct", _ADD, ACCEPTED, RUN_TESTS),
    Case(
        "pytest-class-and-error",
        "correct",
        "class Full(ValueError):\n    pass\nclass Stack:\n    def __init__(self): self.items = []\n"
        "    def push(self, x):\n        if len(self.items) == 2: raise Full('no room')\n        self.items.append(x)\n"
        "    def __len__(self): return len(self.items)\n    def pop(self): return self.items.pop()\n",
        ACCEPTED,
        PytestSuite(
            test_code="import pytest\nfrom solution import Full, Stack\n\ndef test_stack():\n    s = Stack()\n    s.push(1)\n"
            "    s.push([2])\n    assert len(s) == 2 and s.items == [1, [2]]\n    with pytest.raises(Full, match='room'):\n"
            "        s.push(3)\n    assert s.pop() == [2]\n"
        ),
        needs="pytest",
    ),
    Case(
        "pytest-in-place-callback-capsys",
        "correct",
        "def add(xs, f):\n    xs[:] = [f(x) for x in xs]\n    print('done')\n    return xs\n",
        ACCEPTED,
        PytestSuite(
            test_code="from solution import add\n\ndef test_it(capsys):\n    xs = [1, 2]\n    got = add(xs, lambda x: x * 2)\n"
            "    assert got is xs and xs == [2, 4]\n    assert capsys.readouterr().out == 'done\\n'\n"
        ),
        needs="pytest",
    ),
    Case(
        "pytest-parametrize",
        "correct",
        _ADD,
        ACCEPTED,
        PytestSuite(
            test_code="import pytest\nfrom solution import add\n\n@pytest.mark.parametrize('a,b,c', [(1, 2, 3), (2, 2, 4)])\n"
            "def test_add(a, b, c):\n    assert add(a, b) == c\n"
        ),
        needs="pytest",
    ),
    Case("call-many", "correct", _ADD, ACCEPTED, CallSuite(fn_name="add", args=((1, 2),) * 500, expected=(3,) * 500)),
    Case(
        "many-tests", "correct", _STDIO["input"], ACCEPTED, StdioSuite(inputs=SUM.inputs * 40, outputs=SUM.outputs * 40)
    ),
]
