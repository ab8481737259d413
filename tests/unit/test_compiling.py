"""What `make install` compiles is what `sign` and `rules` need; and who waits for a compiler is told so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from tracemill.text import jit

pytestmark = pytest.mark.slow

MISSED = """
import sys
from tests.build.shards import Shards, problem
from tests.build.shard import generation
from tracemill.compiling import compile_kernels
from tracemill.dedup.sign import Sign
from tracemill.engine.store import Store
from tracemill.select.rules import Rules

def compiled():
    modules = [module for name, module in sys.modules.items() if name.startswith("tracemill.")]
    found = {id(one): one for module in modules for one in vars(module).values() if hasattr(one, "nopython_signatures")}
    return {(one.py_func.__name__, str(signature)) for one in found.values() for signature in one.nopython_signatures}

compile_kernels()
before, rows = compiled(), [problem("Add 3 and 4"), problem("What is 12/7 of x, if x = 7?")]
wait = {"think_content": "wait, no. " * 60, "answer_content": "7"}
made = [generation(f"g{n}", row["id"]) | wait for n, row in enumerate(rows)]
shards = Shards(Store.at(sys.argv[1], create=True), rows, generations=[made], ledger=[[]])
shards.run(Rules.model_validate({"kind": "rules"}))
shards.run(Sign.model_validate({"kind": "sign", "embedder": {"kind": "hashing"}}))
print(sorted(compiled() - before))
"""


def test_what_is_compiled_beforehand_is_all_that_sign_and_rules_need(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MISSED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_who_waits_for_the_compiler_is_told_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jit._Teller, "told", False)
    caplog.set_level("INFO", logger="tracemill.progress")
    for factor in (2, 3):
        tripled = numba.njit(lambda values, factor=factor: values * factor)
        assert tripled(np.arange(3)).tolist() == [0, factor, 2 * factor]
    assert caplog.text.count("Compiling the inner loops") == 1
