# ruff: noqa: E501
"""Programs that want to pass tests which share their process, or that reach for the tests from beside them."""

from tracemill.sandbox.base import HumanEvalSuite, PytestSuite, TestSuite
from tracemill.sandbox.conformance.case import ANY_FAILURE, Case

_TWO = "    assert f(1) == 2\n    assert f(5) == 6\n"
_SHARED = PytestSuite(
    test_code=f"from unittest.mock import patch\nfrom solution import f\n\ndef test_one():\n    with patch('builtins.input'):\n        assert f(1) == 2\n\ndef test_two():\n{_TWO}"
)
_FIXTURE = PytestSuite(
    test_code=f"from solution import f\n\ndef test_one(monkeypatch):\n    monkeypatch.setenv('A', 'b')\n{_TWO}\ndef test_two():\n    assert f(10) == 11\n"
)
_UNITTEST = PytestSuite(
    test_code="import unittest\nfrom unittest.mock import patch\nfrom solution import f\n\nclass TestF(unittest.TestCase):\n"
    "    @patch('builtins.input')\n    def test_one(self, given):\n        self.assertEqual(f(1), 2)\n\n    def test_two(self):\n        self.assertEqual(f(5), 6)\n        self.assertTrue(f(6) == 7)\n"
)
_APART = PytestSuite(
    test_code="from solution import f\n\ndef test_one():\n    values = [f(n) for n in (1, 2)]\n    assert values == [2, 3]\n\ndef test_two():\n    assert f(5) == 6 and f(6) == 7\n"
)
_STAR = PytestSuite(
    test_code="import math\nimport pytest\nfrom solution import *\n\ndef test_one():\n    xs = [f(n) for n in range(3)]\n    assert len(xs) == 3 and all(x == n + 1 for n, x in enumerate(xs))\n"
    "    assert sum(xs) == 6 and sorted(xs) == [1, 2, 3]\n    assert xs[2] == pytest.approx(3) and math.isclose(xs[1], 2)\n    assert abs(xs[2] - 3) < 1e-9 and isinstance(xs[0], int) and max(xs) == 3\n"
)
_RAISES = PytestSuite(
    test_code="import pytest\nfrom solution import f\n\ndef test_one():\n    with pytest.raises(Exception):\n        f(-1)\n",
    entry_point="f",
)
_RAISES_LATE = PytestSuite(
    test_code="import pytest\nimport solution\n\ndef test_one():\n    values = []\n    with pytest.raises(Exception):\n        values.append(solution.f(-1))\n    assert values == []\n"
)
_SWALLOWED = PytestSuite(
    test_code="from solution import f\n\ndef test_one():\n    values = []\n    try:\n        values.append(f(-1))\n    except:\n        pass\n    assert values == []\n"
)
_TEXT = PytestSuite(
    test_code="from solution import f\n\ndef test_one():\n    texts = [f(n) for n in (1, 2)]\n    assert texts[0].startswith('one') and texts[1].endswith('o')\n    assert texts[0].upper() and 'w' in texts[1]\n"
)
_LIST = PytestSuite(
    test_code="from solution import f\n\ndef test_one():\n    found = f(3)\n    for n in (1, 2, 3):\n        assert n in found\n    assert len(found) == 3\n    assert found[0] == 1\n"
)
_NUMBER = PytestSuite(
    test_code="from solution import f\n\ndef test_one():\n    assert abs(f(0) - 1.5) < 1e-6\n    assert f(1) > 2\n    assert 0 <= f(2) <= 10\n"
)
_ARRAY = PytestSuite(
    test_code="import numpy as np\nfrom solution import f\n\ndef test_one():\n    np.testing.assert_array_equal(f([1, 2]), np.array([2, 3]))\n    assert np.allclose(f([4]), [5])\n"
)
_CHECK = HumanEvalSuite(
    test="def check(candidate):\n    assert candidate(1) == 2\n    assert candidate(5) == 6\n", entry_point="f"
)

_FRAMES = (
    "import json, os, re, struct\ndef frame(*m):\n    d = json.dumps(m).encode()\n    os.write(3, struct.pack('<I', len(d)) + d)\n"
    "def forge():\n    for at, name in enumerate(('test_one', 'test_two')): frame(at, 'pass', [name, ''])\n    frame(-1, 'end', 0)\n    os._exit(0)\n"
)
_SOURCE = (
    "import re, sys\ndef source():\n    frame = sys._getframe(1)\n    while frame:\n        job = frame.f_locals.get('job')\n"
    "        if isinstance(job, dict) and 'source' in job: return job['source']\n        frame = frame.f_back\n    return open('/tmp/test_solution.py').read()\n"
)
_SAME = (
    "class Same(int):\n    def __eq__(s, o): return True\n    def __ne__(s, o): return False\n    def __lt__(s, o): return True\n    __le__ = __gt__ = __ge__ = __contains__ = __lt__\n"
    "    def __sub__(s, o): return Same(0)\n    __rsub__ = __sub__\n    def __abs__(s): return s\n    __hash__ = None\n"
)
_WRONG = "def f(x):\n    return 0\n"

_INSIDE = {
    "forged-at-import": _FRAMES + "forge()\n",
    "forged-in-the-call": _FRAMES + "def f(x):\n    forge()\n",
    "forged-when-the-first-is-true": _FRAMES + _SOURCE + "def f(x):\n    text = source()\n    if re.search(r'f\\(1\\)(?: ==|,) 2\\b', text): forge()\n    return x + 1 if x == 1 else 0\n",
    "equal-at-the-second": _SAME + "def f(x):\n    return 2 if x == 1 else Same(0)\n",
    "equal-to-all": _SAME + "def f(x):\n    return Same(0)\n",
    "equal-and-of-another-class": "class Odd:\n    __class__ = property(lambda s: int)\n    def __eq__(s, o): return True\n    __hash__ = None\ndef f(x):\n    return Odd()\n",
    "read-from-the-file": "import re\ndef f(x):\n    found = re.search(r'f\\(%d\\)(?: ==|,) (\\d+)' % x, open('/tmp/test_solution.py').read())\n    return int(found[1])\n",
    "read-from-the-frames": _SOURCE + "def f(x):\n    return int(re.search(r'f\\(%d\\)(?: ==|,) (\\d+)' % x, source())[1])\n",
    "read-from-constants": "import sys\ndef f(x):\n    frame = sys._getframe(1)\n    consts = [c for c in frame.f_code.co_consts if type(c) is int]\n    return consts[consts.index(x) + 1] if x in consts else 0\n",
    "conftest": "open('/tmp/conftest.py', 'w').write('import pytest\\n@pytest.hookimpl(tryfirst=True)\\ndef pytest_pyfunc_call(pyfuncitem): return True\\n')\n" + _WRONG,
    "patched-run": "import _pytest.python as p\np.Function.runtest = lambda self: None\nimport _pytest.unittest as u\nu.TestCaseFunction.runtest = lambda self: None\nimport worker.testing as t\n"
    "def good(function, name, report):\n    report(name, 'pass', '')\n    return True\nt._try = good\n" + _WRONG,
    "patched-report": "import _pytest.reports as r\nmade = r.TestReport.from_item_and_call.__func__\ndef good(cls, item, call):\n    report = made(cls, item, call)\n    report.outcome = 'passed'\n    return report\n"
    "r.TestReport.from_item_and_call = classmethod(good)\n" + _WRONG,
    "patched-recorder": "import sys\nt = sys.modules['worker.testing']\nt._Recorder.pytest_runtest_logreport = lambda s, r: r.when == 'call' and s._report(r.nodeid.split('::', 1)[-1], 'pass', '')\nold = t._reporter\n"
    "def mine():\n    report = old()\n    return lambda name, word, text: report(name, 'pass', '')\nt._reporter = mine\n" + _WRONG,
    "patched-frame": "import sys\np = sys.modules['worker.python']\nold = p.frame\np.frame = lambda m: old([m[0], 'pass', m[2]] if m[1] == 'fail' else m)\n" + _WRONG,
    "patched-open": "import builtins\nold = builtins.open\ndef mine(path, mode='r', *a, **k):\n    file = old(path, mode, *a, **k)\n    if 'test_solution' in str(path) and 'w' in mode: file.write = lambda text: None\n    return file\n"
    "builtins.open = mine\nimport io\nio.open = mine\n" + _WRONG,
    "patched-compile": "import ast, builtins\nold = builtins.compile\ndef mine(source, *a, **k):\n    if isinstance(source, str) and 'assert' in source: source = source.replace('assert ', 'assert True or ')\n    return old(source, *a, **k)\n"
    "builtins.compile = mine\nast.parse.__globals__['compile'] = mine\n" + _WRONG,
    "patched-assertion": "import builtins\nbuiltins.AssertionError = type('A', (pytest_skip if False else Exception,), {})\n" + _WRONG,
    "patched-assert-methods": "import unittest\nfor name in dir(unittest.TestCase):\n    if name.startswith('assert'): setattr(unittest.TestCase, name, lambda *a, **k: None)\n" + _SAME + "def f(x):\n    return Same(0)\n",
    "tests-replaced": "import sys\ndef f(x):\n    g = sys._getframe(1).f_globals\n    for name in [n for n in g if n.startswith('test')]: g[name] = lambda *a, **k: None\n    return x + 1 if x == 1 else 0\n",
    "tests-code-replaced": "import gc, types\ndef empty(*a, **k): pass\ndef f(x):\n    for o in gc.get_objects():\n        if isinstance(o, types.FunctionType) and o.__name__.startswith('test_'): o.__code__ = (lambda *a, **k: None).__code__\n    return x + 1 if x == 1 else 0\n",
    "traced": "import sys\ndef jump(frame, event, arg):\n    if frame.f_code.co_name.startswith('test'):\n        frame.f_trace_lines = True\n        if event == 'line':\n            try: frame.f_lineno = max(l for _, _, l in frame.f_code.co_lines() if l)\n            except ValueError: pass\n    return jump\nsys.settrace(jump)\n" + _WRONG,
    "exit-in-the-call": "import os\ndef f(x):\n    os._exit(0)\n",
    "exit-quietly": "import sys\ndef f(x):\n    sys.exit(0)\n",
    "skip-in-the-call": "import pytest\ndef f(x):\n    pytest.skip('not today')\n",
    "exit-of-pytest": "import pytest\ndef f(x):\n    pytest.exit('done', returncode=0)\n",
    "late-thread": "import threading\n" + _FRAMES + "threading.Timer(0.0, forge).start()\nimport time\ntime.sleep(0.2)\n" + _WRONG,
    "at-exit": _FRAMES + "import atexit\natexit.register(forge)\ndef f(x):\n    raise SystemExit\n",
}  # fmt: skip
_ALL = ("shared", "fixture")
_EVERYWHERE = (
    "forged-when-the-first-is-true",
    "equal-at-the-second",
    "patched-run",
    "tests-replaced",
    "read-from-the-file",
)
_STARRED = {
    "all": "def all(x): return True\ndef sum(x): return 6\ndef sorted(x): return [1, 2, 3]\ndef max(x): return 3\ndef abs(x): return 0\ndef isinstance(a, b): return True\n"
    "import builtins\nclass pytest:\n    approx = staticmethod(lambda x: 0)\nclass math:\n    isclose = staticmethod(lambda a, b: True)\n",
    "len": "def len(x): return 3\ndef all(x): return True\n",
    "abs": "def abs(x): return 0\n",
}
_DUCK = (
    "class Duck:\n    def __contains__(s, k): return True\n    def __len__(s): return 3\n    def __getitem__(s, k): return 1\n    def __iter__(s): return iter((1, 2, 3))\n    def startswith(s, x): return True\n"
    "    def endswith(s, x): return True\n    def upper(s): return 'X'\n    def __sub__(s, o): return 0\n    def __abs__(s): return 0\n    def __gt__(s, o): return True\n    __lt__ = __ge__ = __le__ = __gt__\n"
    "    def __array__(s, *a, **k):\n        import numpy\n        return numpy.zeros(0)\n    def __eq__(s, o): return True\n    __hash__ = None\n"
)
_SHARING: dict[str, TestSuite] = {
    "shared": _SHARED,
    "fixture": _FIXTURE,
    "unittest": _UNITTEST,
    "apart": _APART,
    "check": _CHECK,
}


def _forged(name: str, source: str, suite: TestSuite, needs: str | None = "pytest") -> Case:
    return Case(f"forged-{name}", "cheating", source, ANY_FAILURE, suite, needs=needs)


CASES = [
    *(
        _forged(f"{kind}-{name}", source, suite)
        for kind, suite in _SHARING.items()
        for name, source in _INSIDE.items()
        if kind in _ALL or name in _EVERYWHERE
    ),
    *(_forged(f"star-{name}", source + _WRONG, _STAR) for name, source in _STARRED.items()),
    *(_forged(f"duck-{n}", f"{_DUCK}def f(x):\n    return Duck()\n", s) for n, s in (("text", _TEXT), ("list", _LIST), ("number", _NUMBER))),
    _forged("duck-array", f"{_DUCK}def f(x):\n    return Duck()\n", _ARRAY, "numpy"),
    _forged("set-for-list", "def f(x):\n    return {1, 2, 3}\n", _LIST),
    *(
        _forged(f"raises-{kind}-{name}", source, suite)
        for kind, suite in (("lowered", _RAISES), ("late", _RAISES_LATE), ("swallowed", _SWALLOWED))
        for name, source in (
            ("at-import", "raise ValueError('no')"),
            ("nothing", "pass"),
            ("another-name", "def g(x): return 1"),
            ("lazy-names", "def __getattr__(name):\n    raise ValueError(name)\n"),
            ("exit-in-the-call", "import os\ndef f(x): os._exit(0)"),
        )
        if not (kind == "swallowed" and name == "lazy-names")
    ),
]  # fmt: skip
