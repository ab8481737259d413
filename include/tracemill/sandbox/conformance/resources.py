# ruff: noqa: E501
"""Programs that are wrong, broken or greedy, and what each must be called."""

from tracemill.sandbox.base import Limits
from tracemill.sandbox.conformance.case import ANY_FAILURE, LIMITS, ONE_SUM, SUM, Case, call_suite, statuses

_FORK = LIMITS.model_copy(update={"allow_fork": True, "processes": 32})
_TIME = ("time_limit_exceeded",)
_MEMORY = ("memory_limit_exceeded",)
_RUNTIME = ("runtime_error",)
_OURS = ("unverifiable",)  # what the sandbox refused or ran out of shows nothing
_WRONG = ("wrong_answer",)

_TABLE: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("wrong", _WRONG, "a, b = map(int, input().split())\nprint(a - b)"),
    ("silent", _WRONG, "input()"),
    ("extra-line", _WRONG, "print(sum(map(int, input().split())))\nprint('done')"),
    ("exception", _RUNTIME, "1 / 0"),
    ("exit-3", _RUNTIME, "print(sum(map(int, input().split())))\nexit(3)"),
    ("missing-module", ("unverifiable",), "import no_such_module_here"),
    ("stdin-eof", _RUNTIME, "input()\ninput()"),
    ("syntax", ("compile_error",), "def f(:\n    pass"),
    ("nul-in-source", ("compile_error",), "print(1)\0"),
    ("deep-parentheses", ("compile_error", "runtime_error"), "x = " + "(" * 5000 + ")" * 5000),
    ("unary-minus", ("compile_error", "runtime_error", "wrong_answer"), "x = " + "-" * 100_000 + "1"),
    ("lone-surrogate", ("compile_error", "runtime_error"), "print('\udc80')"),
    ("loop", _TIME, "while True:\n    pass"),
    ("sleep", _TIME, "import time\ntime.sleep(60)"),
    (
        "signals-ignored",
        _TIME,
        "import signal\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: pass",
    ),
    ("except-everything", _TIME, "while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
    ("regex-backtracking", _TIME, "import re\nre.match('(a+)+$', 'a' * 60 + 'b')"),
    ("big-power", _TIME, "x = 7 ** (7 ** 12)"),
    (
        "thread-spin",
        _TIME,
        "import threading\nfor _ in range(4): threading.Thread(target=lambda: any(iter(int, 1))).start()",
    ),
    ("allocate", _MEMORY, "x = bytearray(1 << 30)"),
    ("grow", _MEMORY, "x = []\nwhile True: x.append(bytearray(1 << 20))"),
    (
        "memory-error-swallowed",
        _MEMORY,
        "x = []\ntry:\n    while True: x.append(bytearray(1 << 16))\nexcept MemoryError:\n    x = None\n"
        "raise SystemError('a library lost the error')",
    ),
    ("grow-strings", (*_MEMORY, *_TIME), "s = 'x'\nwhile True: s += s"),
    ("recursion", _RUNTIME, "def f(n): return f(n + 1)\nf(0)"),
    (
        "c-stack",
        (*_RUNTIME, *_MEMORY, *_TIME),
        "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n    def __getattr__(s, n): return getattr(s, n + 'x')\nA().y",
    ),
    ("segfault", _RUNTIME, "import ctypes\nctypes.string_at(0)"),
    ("abort", _RUNTIME, "import os\nos.abort()"),
    ("kill-self", _RUNTIME, "import os\nos.kill(os.getpid(), 9)"),
    ("stdout-flood", ("output_limit_exceeded",), "while True: print('x' * 100000)"),
    (
        "stderr-flood",
        ("output_limit_exceeded", "runtime_error"),
        "import sys\nwhile True: sys.stderr.write('x' * 100000)",
    ),
    ("print-huge", ("output_limit_exceeded", "memory_limit_exceeded"), "print('x' * (128 << 20))"),
    (
        "fill-tmp",
        (*_OURS, "output_limit_exceeded"),
        "n = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'wb').write(b'x' * (1 << 20))",
    ),
    ("inode-bomb", _OURS, "n = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'w').close()"),
    ("descriptors", _OURS, "import os\nwhile True: os.dup(0)"),
    (
        "thread-bomb",
        (*_OURS, *_TIME, *_MEMORY),
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(9,)).start()",
    ),
    ("fork-denied", _OURS, "import os\nos.fork()"),
)
_FORKING: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "fork-bomb",
        (*_TIME, *_RUNTIME, *_MEMORY),
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    ),
    (
        "cpu-in-children",
        _TIME,
        "import os\nfor _ in range(4):\n    if os.fork() == 0:\n        while True: pass\nfor _ in range(4): os.wait()",
    ),
    (
        "orphan-burns",
        _TIME,
        "import os, time\nr, w = os.pipe()\nif os.fork() == 0:\n    if os.fork() == 0:\n        os.setsid()\n"
        "        while time.process_time() < 1.5: pass\n        os.write(w, b'x')\n    os._exit(0)\nos.wait()\nos.read(r, 1)\n"
        "print(sum(map(int, input().split())))",
    ),
)
_CALLS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("call-missing", _RUNTIME, "def other(a, b): return a + b"),
    ("call-raises", _RUNTIME, "def add(a, b): raise ValueError"),
    ("call-loop", _TIME, "def add(a, b):\n    while True: pass"),
    ("call-loop-at-import", _TIME, "while True: pass"),
    ("call-memory", _MEMORY, "def add(a, b): return bytearray(1 << 30)"),
    (
        "call-memory-error-swallowed-at-import",
        _MEMORY,
        "x = []\ntry:\n    while True: x.append(bytearray(1 << 16))\nexcept MemoryError:\n    x = None\n"
        "raise ImportError('a library lost the error')",
    ),
    ("call-bool-for-int", _WRONG, "def add(a, b): return True"),
    ("call-nan", _WRONG, "def add(a, b): return float('nan')"),
)
_HUGE = "x = '" + "y" * (9 << 20) + "'"
_SHORT = Limits(cpu_seconds=1.0, wall_seconds=1.0)

CASES = [
    *(
        Case(name, "resource", source, statuses(*wanted), SUM if wanted == _WRONG else ONE_SUM)
        for name, wanted, source in _TABLE
    ),
    *(Case(name, "resource", source, statuses(*wanted), ONE_SUM, limits=_FORK) for name, wanted, source in _FORKING),
    *(Case(name, "resource", source, statuses(*wanted), call_suite()) for name, wanted, source in _CALLS),
    Case("huge-source", "resource", _HUGE, statuses("compile_error"), ONE_SUM),
    Case("compile-bomb", "resource", "x = [" + "1," * 1_500_000 + "]", ANY_FAILURE, ONE_SUM),
    Case("compiler-recursion", "resource", "x = " + "a[" * 90_000 + "0" + "]" * 90_000, ANY_FAILURE, ONE_SUM),
    Case("empty-source", "resource", " \n", statuses("compile_error"), ONE_SUM),
    Case(
        "sleep-in-pieces",
        "resource",
        "import time\nwhile True: time.sleep(0.01)",
        statuses(*_TIME),
        ONE_SUM,
        limits=_SHORT,
    ),
]
