"""Proves at start that a program in this sandbox is shut in; a sandbox that fails is not handed out."""

import json
from typing import Any

from tracemill.sandbox.base import Job, Limits, Sandbox, SandboxUnavailable, StdioSuite

_CANARY = """
import os, resource, socket
found = []
def blocked(name, attempt):
    try:
        attempt()
    except OSError:
        found.append(name)
blocked("no network", lambda: socket.create_connection(("127.0.0.1", 1), 1))
blocked("read-only root", lambda: open("/canary", "w"))
blocked("read-only library", lambda: open(os.__file__, "a"))
blocked("no processes", os.fork)
blocked("no passwords", lambda: open("/etc/shadow"))
with open("/proc/self/status") as file:
    status = dict(line.rstrip().split(":", 1) for line in file if ":" in line)
if int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0:
    found.append("no capabilities")
if status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1":
    found.append("system call filter")
for name, kind in (("memory", "AS"), ("cpu", "CPU"), ("output", "FSIZE"), ("tasks", "NPROC")):
    if resource.getrlimit(getattr(resource, "RLIMIT_" + kind))[0] != resource.RLIM_INFINITY:
        found.append(name + " limit")
print("\\n".join(sorted(found)))
"""
_SEALED = (
    *("no network", "read-only root", "read-only library", "no processes", "no passwords", "no capabilities"),
    *("system call filter", "memory limit", "cpu limit", "output limit", "tasks limit"),
)


def canary() -> Job:
    """Return the program that a sound sandbox accepts: it tries to break out, and says what held it."""
    suite = StdioSuite(inputs=("",), outputs=("\n".join(sorted(_SEALED)),))
    return Job(id="canary", source=_CANARY, suite=suite, limits=Limits(cpu_seconds=10))


def prove_isolation(sandbox: Sandbox) -> None:
    """Run a program that tries to break out; raises SandboxUnavailable when it is not held."""
    verdict = next(iter(sandbox.judge([canary()])))
    if verdict.status != "accepted":
        what: dict[str, Any] = {"status": verdict.status.value, "stderr": verdict.detail["stderr"][-300:]}
        raise SandboxUnavailable(
            f"the sandbox ({sandbox.isolation}) does not hold a program that tries to break out: {json.dumps(what)}. "
            f"It must have: {', '.join(_SEALED)}"
        )
