"""A Docker engine of our own in a network namespace of its own: the host's network and firewall are not touched."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SECONDS = 30.0
GROUPS = Path("/sys/fs/cgroup")
_PROGRAMS = ("dockerd", "docker", "setpriv", "unshare", "nsenter", "ip", "iptables")
_CLONE_NEWNET = 0x40000000
# In a process namespace of its own, and bound to this process's life: whatever ends, nothing stays behind.
_APART = [
    "setpriv",
    "--pdeathsig",
    "KILL",
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
]
# With a /run of its own: engines on one machine keep sockets and namespaces there, and clear it when they start.
_START = (
    "mount -t tmpfs -o mode=755 tmpfs /run && ip link set lo up && exec dockerd --host unix://{home}/docker.sock "
    "--data-root {home}/data --exec-root {home}/run --pidfile {home}/pid "
    "--exec-opt native.cgroupdriver=cgroupfs --cgroup-parent /{home.name}"
)


class NoEngine(RuntimeError):
    """No engine can be started here; the text says why."""


@dataclass(frozen=True)
class Engine:
    """A running engine: `pid` is the process in whose network its containers' ports are published."""

    home: Path
    pid: int

    @property
    def docker(self) -> list[str]:
        """The command line's first words."""
        return ["docker", "--host", f"unix://{self.home}/docker.sock"]

    def run(self, *words: str, check: bool = True) -> str:
        """Run one docker command; returns all that it said. Raises RuntimeError with that when it fails."""
        done = subprocess.run(
            [*self.docker, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if check and done.returncode:
            raise RuntimeError(f"docker {' '.join(words[:3])}: {done.stdout.strip()}")
        return done.stdout.strip()

    def inside(self, *words: str) -> list[str]:
        """A command that runs on the host, but in the network where the containers' ports are published."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *words]

    @contextmanager
    def network(self) -> Iterator[None]:
        """While the block runs, sockets that this thread opens are in the engine's network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/proc/thread-self/ns/net").open("rb") as own, Path(f"/proc/{self.pid}/ns/net").open("rb") as theirs:
            _enter(libc, theirs.fileno())
            try:
                yield
            finally:
                _enter(libc, own.fileno())


def _enter(libc: ctypes.CDLL, namespace: int) -> None:
    if libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def missing() -> str | None:
    """Why no engine can be started here, or None."""
    if os.getuid() != 0:
        return "an engine of our own needs root"
    absent = [name for name in _PROGRAMS if not shutil.which(name)]
    return f"not installed: {', '.join(absent)}" if absent else None


@contextmanager
def engine() -> Iterator[Engine]:
    """Start an engine below /var/tmp and end it with all that it holds. Raises NoEngine naming the reason."""
    reason = missing()
    if reason:
        raise NoEngine(reason)
    home = Path(tempfile.mkdtemp(prefix="tracemill-engine-", dir="/var/tmp"))  # not a tmpfs: layers are large
    command = [*_APART, "sh", "-c", _START.format(home=home)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    found = Engine(home, process.pid)
    try:
        _await(found, process)
        yield found
    finally:
        _end(found, process)


def _await(found: Engine, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while subprocess.run([*found.docker, "version"], capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > end:
            raise NoEngine(f"dockerd did not start: {(found.home / 'log').read_text(errors='replace')[-1500:]}")
        time.sleep(0.2)


def _end(found: Engine, process: subprocess.Popen[bytes]) -> None:
    """End everything at once: the engine, its containers and their mounts live in namespaces of that process."""
    process.kill()
    process.wait()
    end = time.monotonic() + SECONDS
    while not _cleared(found.home) and time.monotonic() < end:
        time.sleep(0.2)


def _cleared(home: Path) -> bool:
    """Remove the engine's files and control groups; true when all are gone: killed processes need a moment."""
    shutil.rmtree(home, ignore_errors=True)
    tops = [top for top in (GROUPS / home.name, *GROUPS.glob(f"*/{home.name}")) if top.is_dir()]
    for top in tops:
        for folder, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()
    return not any(place.exists() for place in (home, *tops))
