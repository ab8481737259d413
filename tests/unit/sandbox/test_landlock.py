"""What a build may execute: its own tools, and no other program of the machine."""

import os
import shutil
import subprocess

import pytest

from tracemill.sandbox.worker import landlock


def _executed(command: list[str]) -> bool:
    """Return whether a child under the rules of a build can execute `command`."""
    pid = os.fork()
    if pid == 0:
        try:
            held = landlock.execute_only(landlock.tool_paths("/usr/bin/gcc"))
            os._exit(0 if held and subprocess.run(command, capture_output=True, check=False).returncode == 0 else 1)
        except PermissionError:
            os._exit(2)
        finally:
            os._exit(3)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code == 1:
        pytest.skip("the kernel has no Landlock")
    return code == 0


@pytest.mark.skipif(shutil.which("gcc", path="/usr/bin") is None, reason="no gcc here")
def test_a_build_starts_its_own_tools_and_no_other() -> None:
    assert _executed(["/usr/bin/as", "--version"])
    assert _executed(["/usr/bin/ld", "--version"])
    assert not _executed(["/usr/bin/env"])
