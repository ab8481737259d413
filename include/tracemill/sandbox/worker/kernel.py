"""The Linux calls that Python does not offer: mounts, namespaces, capabilities. Each raises OSError on failure."""

import ctypes
import os
import platform
from typing import Any

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2
CLONE_NEWNS = 0x20000
CLONE_NEWCGROUP = 0x2000000
CLONE_NEWUTS = 0x4000000
CLONE_NEWIPC = 0x8000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
_LOCKED_SECUREBITS = 0x2F  # NOROOT, NO_SETUID_FIXUP and their locks, KEEP_CAPS locked off
_CAPABILITIES = 41
_SIGCHLD = 17
_CALLS = {"x86_64": {"clone": 56, "pivot_root": 155}, "aarch64": {"clone": 220, "pivot_root": 41}}
_MOUNT_SETATTR = 442
_AT_RECURSIVE = 0x8000

_libc = ctypes.CDLL(None, use_errno=True)
_libc_with_gil = ctypes.PyDLL(None)
prctl_raw = _libc.prctl
close_range = _libc.close_range


def _check(result: int, what: str) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def call_number(name: str) -> int:
    """Return the system call's number on this machine's architecture."""
    return _CALLS[platform.machine()][name]


def call(number: int, *arguments: Any) -> int:
    """Make system call `number` and return what it returns, -1 for any failure."""
    return int(_libc.syscall(number, *arguments))


def prctl(option: int, argument: int = 0) -> None:
    """Call prctl(2) with one argument."""
    _check(prctl_raw(option, argument, 0, 0, 0), f"prctl {option}")


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Call mount(2)."""
    parts = [None if part is None else os.fsencode(part) for part in (source, target, kind, data)]
    _check(_libc.mount(parts[0], parts[1], parts[2], ctypes.c_ulong(flags), parts[3]), f"mount {target}")


def mount_tmpfs(target: str, megabytes: int) -> None:
    """Mount an empty private tmpfs that holds no set-id files or devices."""
    options = f"size={megabytes}m,nr_inodes=1k,mode=1777"
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)


def mount_proc(target: str) -> None:
    """Mount a /proc that shows processes of this pid namespace only, and nothing of the machine where possible."""
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    try:
        mount("proc", target, "proc", flags, "subset=pid,hidepid=invisible")
    except OSError:
        mount("proc", target, "proc", flags)


def unmount(target: str) -> None:
    """Detach the mount at `target`."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def make_read_only(target: str) -> None:
    """Make a bind mount and every mount below it read-only, without set-id files and devices."""

    class Attributes(ctypes.Structure):
        _fields_ = (
            ("attr_set", ctypes.c_uint64),
            ("attr_clr", ctypes.c_uint64),
            ("propagation", ctypes.c_uint64),
            ("userns_fd", ctypes.c_uint64),
        )

    wanted = Attributes(MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0)
    path = os.fsencode(target)
    result = _libc.syscall(_MOUNT_SETATTR, -100, path, _AT_RECURSIVE, ctypes.byref(wanted), ctypes.sizeof(wanted))
    _check(result, f"read-only {target}")


def enter_root(directory: str) -> None:
    """Make `directory` the root of this mount namespace and detach the old one."""
    os.chdir(directory)
    _check(_libc.syscall(call_number("pivot_root"), b".", b"."), "pivot_root")
    unmount(".")
    os.chdir("/")


def unshare(flags: int) -> None:
    """Call unshare(2)."""
    _check(_libc.unshare(flags), "unshare")


def fork_into(flags: int) -> int:
    """Fork with clone(2) flags such as CLONE_NEWPID; returns as os.fork does."""
    api = ctypes.pythonapi
    api.PyOS_BeforeFork()
    pid: int = _libc_with_gil.syscall(call_number("clone"), ctypes.c_long(flags | _SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        api.PyOS_AfterFork_Child()
    else:
        api.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(0, "clone failed")
    return pid


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


_cap_header = _CapHeader(0x20080522, 0)
_cap_none: Any = (_CapData * 2)()
_cap_arguments = (ctypes.byref(_cap_header), ctypes.byref(_cap_none))


def lock_capabilities() -> None:
    """Let no descendant ever gain a capability: empty the bounding set, end root's special treatment."""
    prctl_raw(PR_SET_SECUREBITS, _LOCKED_SECUREBITS, 0, 0, 0)
    for capability in range(_CAPABILITIES):
        prctl_raw(PR_CAPBSET_DROP, capability, 0, 0, 0)


def drop_capabilities() -> None:
    """Drop every capability of this process."""
    _check(_libc.capset(*_cap_arguments), "capset")
