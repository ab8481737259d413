"""The embedded backend: each worker in Linux namespaces of its own, as root or ordinary user, no daemon."""

import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tracemill.sandbox import languages
from tracemill.sandbox.backends.slot import Slot, SlotLost, fresh_uid
from tracemill.sandbox.base import SandboxSettings, SandboxUnavailable
from tracemill.sandbox.worker import cgroups

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_MACHINE = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache")
_LAUNCH = "import sys; sys.path.append(sys.argv.pop(1)); from worker.launch import main; main()"
_DESCRIBE = (
    "import json, os, sys, sysconfig; print(json.dumps([os.path.realpath(sys._base_executable), sys.base_prefix, "
    "[sysconfig.get_path('purelib'), sysconfig.get_path('platlib')]]))"
)
_REMEDY = (
    "programs cannot be isolated with Linux namespaces here ({reason}). Enable unprivileged user namespaces "
    "(sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces>0, "
    "kernel.apparmor_restrict_unprivileged_userns=0), run as root, or start Docker and set the sandbox's kind to "
    "docker. Inside a container, start it with --security-opt seccomp=unconfined --security-opt systempaths=unconfined "
    "--security-opt apparmor=unconfined; in a pod, with what docs/design/sandbox.md says of Kubernetes"
)
_OWN_FOLDERS = ("/tmp/", "/build/", "/dev/", "/proc/", "/etc/")
_numbers = itertools.count()


@dataclass(frozen=True)
class Interpreter:
    """Where a Python lies: executable, directories that must be visible, and its package directories."""

    executable: str
    show: tuple[str, ...]
    site: tuple[str, ...]


@cache
def interpreter(python: Path) -> Interpreter:
    """Describe `python`; raises SandboxUnavailable when it cannot be run or lies where programs see another folder."""
    try:
        command = [str(python), "-I", "-c", _DESCRIBE]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_START_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxUnavailable(f"the sandbox's interpreter {python} cannot be run: {error}") from None
    executable, base, site = json.loads(answer)
    stdlib = Path(base) / "lib"
    show = [str(Path(executable).parent), str(stdlib), *site]
    outside = tuple(dict.fromkeys(path for path in show if not path.startswith("/usr/") and Path(path).is_dir()))
    hidden = [path for path in outside if path.startswith(_OWN_FOLDERS)]
    if hidden:
        raise SandboxUnavailable(
            f"the sandbox's interpreter {python} needs {hidden[0]}, which programs cannot see: that folder is "
            "their own. Install the environment elsewhere, or name another interpreter as the sandbox's `python`"
        )
    return Interpreter(executable, outside, tuple(dict.fromkeys(site)))


class NamespaceSlot(Slot):
    """A worker in its own user, mount, pid, net, ipc, uts and cgroup namespaces."""

    def __init__(self, settings: SandboxSettings, role: str) -> None:
        self.name = f"tracemill-{os.getpid()}-{next(_numbers)}"
        self.root = os.getuid() == 0
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        home = str(Path(__file__).parents[1])
        command = [sys.executable, "-I", "-S", "-B", "-c", _LAUNCH, home, self._config(settings, role, theirs.fileno())]
        try:
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
                start_new_session=True,
            )
        finally:
            theirs.close()
        self._await_ready()

    def _config(self, settings: SandboxSettings, role: str, control: int) -> str:
        python = interpreter(settings.python)
        worker = {
            "namespaces": True,
            "uid": fresh_uid() if self.root else None,
            "site": python.site,
            "preload": settings.preload,
            "optional": ["pytest"] if role == "tests" else [],
            "warm": settings.warm,
        }
        config = {
            "control": control,
            "group": self.name if self.root else None,
            "memory": settings.memory_bytes,
            "tasks": 128,
            "user_namespace": not self.root,
            "show": [(path, path) for path in (*_MACHINE, *python.show)] + languages.mounts(),
            "python": python.executable,
            "worker": worker,
        }
        return json.dumps(config)

    def _await_ready(self) -> None:
        try:
            self.wait_for_message(_START_SECONDS)
        except SlotLost as error:
            self.stop()
            raise SandboxUnavailable(_REMEDY.format(reason=str(error).strip()[-500:])) from None
        self.grouped = self.root and all(Path(path).is_dir() for path in cgroups.directories(self.name))

    def last_words(self) -> str:
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            return ""
        return os.pread(self._words.fileno(), 2000, 0).decode("utf-8", "replace").strip()

    def oom_kills(self) -> int | None:
        return cgroups.oom_kills(self.name) if self.grouped else 0

    def stop(self) -> None:
        if self._stream.fileno() < 0:
            return
        self._stream.close()
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self.root:
            cgroups.remove(cgroups.directories(self.name))  # which the process itself tries for a few seconds only
        self._words.close()


def isolation(slot: Slot) -> str:
    """Return the grade of a started slot."""
    assert isinstance(slot, NamespaceSlot)
    kind = "root: own uid," if slot.root else "user: user namespace,"
    memory = "memory and tasks by cgroup" if slot.grouped else "memory and tasks by rlimits"
    return f"namespace/{kind} mount+pid+net+ipc+uts+cgroup namespaces, pivot_root, seccomp, {memory}"
