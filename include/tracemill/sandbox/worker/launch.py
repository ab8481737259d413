"""Starts one slot: namespaces, a read-only root with nothing of the machine but its interpreter, then the worker.

The launcher itself stays outside, waits for the slot and removes its control group, also when the supervisor was
killed. Run with the configuration as one JSON argument; failures are told on stderr and by exit status 1.
"""

import json
import os
import resource
import signal
import socket
import sys
from typing import Any, NoReturn

from . import cgroups, kernel
from .execution import CONTROL

_NAMESPACES = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
_NEW_ROOT = "/sys"  # any directory that holds nothing the sandbox needs; hidden in the slot's own mount namespace
_DEVICES = ("null", "zero", "urandom")
_SCRATCH_MEGABYTES = 64
_STACK_BYTES = 1 << 30
_BOOT = "import sys; sys.path.append(sys.argv.pop(1)); from worker.zygote import main; main()"
HOME = "/sandbox"


def _map_user(uid: int, gid: int) -> None:
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _bind(source: str, target: str) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="ascii"):
            pass
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)


def _show(path: str, inside: str) -> None:
    """Make `path` of the machine visible read-only as `inside` of the new root; links stay links."""
    target = _NEW_ROOT + inside
    if os.path.lexists(target) or not os.path.lexists(path):
        return
    if os.path.islink(path):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(os.readlink(path), target)
        return
    _bind(path, target)
    kernel.make_read_only(target)


def _devices() -> None:
    os.makedirs(f"{_NEW_ROOT}/dev")
    for name in _DEVICES:
        _bind(f"/dev/{name}", f"{_NEW_ROOT}/dev/{name}")
    for name, target in (("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"), ("fd", "fd")):
        os.symlink(f"/proc/self/{target}", f"{_NEW_ROOT}/dev/{name}")
    os.symlink("urandom", f"{_NEW_ROOT}/dev/random")
    os.symlink("/tmp", f"{_NEW_ROOT}/dev/shm")


def _build_root(config: dict[str, Any]) -> None:
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", _NEW_ROOT, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=4m,mode=755")
    for path, inside in config["show"]:
        _show(path, inside)
    worker = f"{_NEW_ROOT}{HOME}/worker"
    _bind(os.path.dirname(os.path.abspath(__file__)), worker)
    kernel.make_read_only(worker)
    _devices()
    for directory in ("tmp", "etc", "build", "proc"):
        os.makedirs(f"{_NEW_ROOT}/{directory}", exist_ok=True)
    with open(f"{_NEW_ROOT}/etc/passwd", "w", encoding="ascii") as file:
        file.write("program:x:65534:65534::/tmp:/bin/false\n")
    kernel.mount_proc(f"{_NEW_ROOT}/proc")
    kernel.mount_tmpfs(f"{_NEW_ROOT}/tmp", _SCRATCH_MEGABYTES)
    kernel.enter_root(_NEW_ROOT)
    kernel.mount(None, "/", None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID)


def _raise_limits() -> None:
    """Room for a deep C stack must exist before exec, as the memory layout is fixed there; CONTROL lies high."""
    for kind, wanted in ((resource.RLIMIT_STACK, _STACK_BYTES), (resource.RLIMIT_NOFILE, 4096)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _streams(control: int) -> None:
    for target in CONTROL:
        os.dup2(control, target, inheritable=True)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.closerange(3, min(CONTROL))


def _become_worker(config: dict[str, Any], groups: list[str], user: tuple[int, int]) -> NoReturn:
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.umask(0o022)
    if config["user_namespace"]:
        _map_user(*user)
    cgroups.join(groups)
    kernel.unshare(kernel.CLONE_NEWCGROUP)
    _build_root(config)
    socket.sethostname("sandbox")
    _raise_limits()
    _streams(config["control"])
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "MALLOC_ARENA_MAX": "1",  # an arena a thread would reserve 64 MiB of address space each
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    python = config["python"]
    worker = {**config["worker"], "home": HOME}
    os.execve(python, [python, "-s", "-S", "-B", "-P", "-c", _BOOT, HOME, json.dumps(worker)], environment)


def main() -> None:
    """Run one slot to its end."""
    config = json.loads(sys.argv[1])
    user = (os.getuid(), os.getgid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    groups = cgroups.create(config["group"], config["memory"], config["tasks"]) if config["group"] else []
    flags = _NAMESPACES | (kernel.CLONE_NEWUSER if config["user_namespace"] else 0)
    status = 1
    try:
        pid = kernel.fork_into(flags)
        if pid == 0:
            _start_or_say_why(config, groups, user)
        os.close(config["control"])
        signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGKILL))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        cgroups.remove(groups)
    sys.exit(0 if status == 0 else 1)


def _start_or_say_why(config: dict[str, Any], groups: list[str], user: tuple[int, int]) -> NoReturn:
    try:
        _become_worker(config, groups, user)
    except BaseException as error:  # noqa: BLE001 - the boundary of a forked child: it must not run on as the launcher
        os.write(2, f"{error}\n".encode())
    finally:
        os._exit(1)
