# ruff: noqa: E501
"""Programs that want to pass without solving: accepting any of them is a false accept."""

from tracemill.sandbox.base import AssertSuite, Compare, HumanEvalSuite, StdioSuite, TestSuite
from tracemill.sandbox.conformance.case import ANY_FAILURE, PLAIN_TESTS, RUN_TESTS, SUM, Case, call_suite, test_file

_HUNT = (
    "import gc, sys\nfound = set()\n"
    "def look(o, d=0):\n    if isinstance(o, str) and o.strip().isdigit(): found.add(o.strip())\n"
    "    elif isinstance(o, (list, tuple, set)) and d < 3: [look(x, d + 1) for x in list(o)[:50]]\n"
    "    elif isinstance(o, dict) and d < 3: [look(x, d + 1) for x in list(o.values())[:50]]\n"
    "f = sys._getframe()\nwhile f:\n    look(dict(f.f_locals))\n    f = f.f_back\n"
    "for o in gc.get_objects()[:20000]: look(o)\n"
)
_STDIO = {
    "exit-at-once": "import os\nos._exit(0)",
    "close-stdout": "import os\nos.close(1)",
    "replace-stdout": "import sys\nsys.stdout = None",
    "all-answers": "print('3')\nprint('34')\nprint('1')",
    "first-answer-always": "print(3)",
    "scan-for-tests": "import os\nfor d, _, fs in os.walk('/tmp'):\n    for f in fs: print(open(os.path.join(d, f)).read())",
    "hunt-in-memory": _HUNT + "print('\\n'.join(found))",
    "frames-on-descriptors": "import json, os, struct\nd = json.dumps([0, 'ok', 0]).encode()\n"
    "for fd in range(3, 64):\n    try: os.write(fd, struct.pack('<I', len(d)) + d)\n    except OSError: pass",
    "forged-report": "import json, os, struct\nj = json.dumps({'event': 'ran', 'exit': 0, 'sizes': [2], 'lengths': [2], 'stderr': 0}).encode()\n"
    "for fd in range(3, 1024):\n    try: os.write(fd, struct.pack('<II', len(j), 2) + j + b'3\\n')\n    except OSError: pass",
    "write-other-outputs": "import os\nfor fd in range(3, 64):\n    try: os.pwrite(fd, b'3\\n', 0)\n    except OSError: pass",
    "atexit-exit": "import atexit, os\natexit.register(os._exit, 0)",
    "excepthook-exit": "import os, sys\nsys.excepthook = lambda *a: os._exit(0)\n1 / 0",
    "full-width-digits": "a, b = map(int, input().split())\nprint(''.join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in str(a + b)))",
    "underscored-number": "a, b = map(int, input().split())\nprint('_'.join(str((a + b) * 11 // 11 + 0)) + '_0' if a + b < 10 else a + b)",
    "ansi": "print('\\x1b[31m%d\\x1b[0m' % sum(map(int, input().split())))",
    "nul-bytes": "print('%d\\0' % sum(map(int, input().split())))",
    "byte-order-mark": "print('\\ufeff%d' % sum(map(int, input().split())))",
    "not-utf-8": "import sys\nsys.stdout.buffer.write(b'\\xff%d' % sum(map(int, input().split())))",
    "right-then-exit-1": "print(sum(map(int, input().split())))\nraise SystemExit(1)",
    "right-then-killed": "import os, sys\nprint(sum(map(int, input().split())))\nsys.stdout.flush()\nos.kill(os.getpid(), 9)",
}  # fmt: skip
_EQUAL = "class Same{base}:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    __hash__ = None\n"
_CALLS = {
    "always-equal": _EQUAL.format(base="") + "def add(a, b): return Same()",
    "int-subclass": _EQUAL.format(base="(int)") + "def add(a, b): return Same(9)",
    "float-subclass": _EQUAL.format(base="(float)") + "def add(a, b): return Same(9.0)",
    "str-subclass": _EQUAL.format(base="(str)") + "def add(a, b): return Same('x')",
    "list-subclass": _EQUAL.format(base="(list)") + "def add(a, b): return Same()",
    "tuple-subclass": _EQUAL.format(base="(tuple)") + "def add(a, b): return Same()",
    "exit-in-import": "import os\nos._exit(0)",
    "sys-exit-in-import": "import sys\nsys.exit(0)",
    "exit-in-call": "import os\ndef add(a, b): os._exit(0)",
    "sys-exit-in-call": "import sys\ndef add(a, b): sys.exit(0)",
    "skip-exception": "class Skipped(Exception): pass\ndef add(a, b): raise Skipped('skip me')",
    "none": "def add(a, b): return None",
    "generator": "def add(a, b): yield a + b",
    "self-reference": "def add(a, b):\n    x = []\n    x.append(x)\n    return x",
    "reduce": "class R:\n    def __reduce__(self): return (print, ('owned',))\ndef add(a, b): return R()",
    "huge-int": "def add(a, b): return 10 ** 20000",
    "huge-list": "def add(a, b): return [0] * 30_000_000",
    "forged-frame": "import json, os, struct\ndef frame(*m):\n    d = json.dumps(m).encode()\n    os.write(3, struct.pack('<I', len(d)) + d)\n"
    "frame(0, 'pass', ['test_one', ''])\nframe(0, 'end', None)\nframe(-1, 'end', None)\nos._exit(0)",
    "garbage-frame": "import os\nos.write(3, b'\\xff' * 4096)\nos._exit(0)",
    "bomb-frame": "import os, struct\nd = b'[' * 200000\nos.write(3, struct.pack('<I', len(d)) + d)\nos._exit(0)",
    "misshapen-frame": "import json, os, struct\nfor m in ([0, 'pass', 5], [0, 'ok', {'d': [[{'i': '0x' + 'f' * 9000}, 1]]}]):\n"
    "    d = json.dumps(m).encode()\n    os.write(3, struct.pack('<I', len(d)) + d)\nos._exit(0)",
    "half-a-surrogate-frame": "import json, os, struct\nd = json.dumps([0, 'raised', ['\\ud800']]).encode()\n"
    "os.write(3, struct.pack('<I', len(d)) + d)\nos._exit(0)",
    "huge-int-key": "def add(a, b): return {10 ** 5000: a + b}",
    "patched-json": "import json\njson.dumps = lambda *a, **k: '[0,\"ok\",7]'\ndef add(a, b): return 0",
    "patched-builtins": "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.type = lambda *a: int\ndef add(a, b): return 'x'",
    "wiped-modules": "import sys\nsys.modules.clear()\ndef add(a, b): return 'x'",
    "settrace": "import sys\nsys.settrace(lambda *a: sys._getframe(1).f_locals.update(expected=1))\ndef add(a, b): return 'x'",
    "frame-walk": _HUNT + "def add(a, b):\n    return int(found.pop()) if found else 'x'",
    "stolen-callers": "import sys\ndef add(a, b):\n    f = sys._getframe(1)\n    while f:\n        for k, v in list(f.f_locals.items()):\n"
    "            if k in ('expected', 'gt_out', 'values', 'answer'): return v\n        f = f.f_back\n    return 'x'",
}  # fmt: skip
_CHECK = HumanEvalSuite(
    test="def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(2, 2) == 4\n", entry_point="add"
)
_ASSERTS = AssertSuite(lines=("assert add(1, 2) == 3", "assert add(2, 2) == 4"))
_SUITES: dict[str, TestSuite] = {
    "call": call_suite(),
    "check": _CHECK,
    "asserts": _ASSERTS,
    "lowered": PLAIN_TESTS,
    "two-slots": RUN_TESTS,
}
_EVERYWHERE = (
    "always-equal",
    "int-subclass",
    "list-subclass",
    "exit-in-import",
    "forged-frame",
    "skip-exception",
    "stolen-callers",
)

_FLOATS = StdioSuite(inputs=("1 2\n",), outputs=("3.5\n",), compare=Compare(name="float"))
_TABLE = call_suite({"3": 3})
_MOCKED = test_file(
    "from unittest.mock import patch\n\ndef test_one():\n    with patch('builtins.input'):\n        assert add(1, 2) == 3\n"
)

CASES = [
    Case("number-without-end", "cheating", "print('1' * 1500000)", ANY_FAILURE, _FLOATS),
    Case("in-process-misshapen-frame", "cheating", _CALLS["misshapen-frame"], ANY_FAILURE, _MOCKED),
    *(
        Case(f"table-{name}", "cheating", _CALLS[name], ANY_FAILURE, _TABLE)
        for name in ("huge-int-key", "misshapen-frame")
    ),
    *(Case(name, "cheating", source, ANY_FAILURE, SUM) for name, source in _STDIO.items()),
    *(Case(f"call-{name}", "cheating", source, ANY_FAILURE, call_suite()) for name, source in _CALLS.items()),
    *(Case(f"two-slots-{name}", "cheating", source, ANY_FAILURE, RUN_TESTS) for name, source in _CALLS.items()),
    *(
        Case(f"{kind}-{name}", "cheating", _CALLS[name], ANY_FAILURE, _SUITES[kind])
        for kind in ("check", "asserts", "lowered")
        for name in _EVERYWHERE
    ),
]
