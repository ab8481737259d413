"""Which system calls a program may make: an allow-list compiled to a seccomp filter, no library needed.

Everything else answers EPERM (clone3 answers ENOSYS, so that the C library falls back to clone). Programs get no
sockets but an anonymous AF_UNIX pair, no new namespaces, no ptrace, no mounts, no raised limits, and no exec: a native
program becomes itself by executing descriptor EXEC_ONCE, which lies above its limit of descriptors and closes there and
then, so that nothing can ever be executed by that number again.
"""

import ctypes
import platform
import struct
from collections.abc import Sequence
from typing import Literal

from . import kernel

Instruction = tuple[int, int, int, int]
Exec = bool | Literal["once"]

_LOAD = 0x20
_JUMP = 0x05
_JEQ = 0x15
_JGE = 0x35
_JSET = 0x45
_RETURN = 0x06
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_EPERM = 0x00050001
_ENOTTY = 0x00050019
_ENOSYS = 0x00050026
_AUDIT_X86_64 = 0xC000003E
_X32_BIT = 0x40000000
_NAMESPACE_FLAGS = 0x7E020000
_CLONE_THREAD = 0x10000
_PR_SET_SECCOMP = 22
_OWN_PID = 0x7FFFF123  # replaced by the process's own id before the filter is installed
_AF_UNIX = 1
EXEC_ONCE = 890  # above every program's limit of descriptors, below CONTROL
_AT_EMPTY_PATH = 0x1000

# x86_64 numbers; names in the order of the numbers.
_PLAIN: tuple[tuple[int, int], ...] = (
    (0, 15),  # read write open close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sig*
    (17, 28),  # pread64 pwrite64 readv writev access pipe select sched_yield mremap msync mincore madvise
    (32, 39),  # dup dup2 pause nanosleep getitimer alarm setitimer getpid
    (44, 45),  # sendto recvfrom (only on a socketpair, as socket and connect are refused)
    (48, 48),  # shutdown
    (51, 52),  # getsockname getpeername
    (60, 61),  # exit wait4
    (63, 63),  # uname
    (72, 84),  # fcntl flock fsync fdatasync truncate ftruncate getdents getcwd chdir fchdir rename mkdir rmdir
    (86, 91),  # link unlink symlink readlink chmod fchmod
    (95, 100),  # umask gettimeofday getrlimit getrusage sysinfo times
    (102, 102),  # getuid
    (104, 104),  # getgid
    (107, 112),  # geteuid getegid setpgid getppid getpgrp setsid
    (115, 115),  # getgroups
    (118, 118),  # getresuid
    (120, 121),  # getresgid getpgid
    (124, 124),  # getsid
    (127, 128),  # rt_sigpending rt_sigtimedwait
    (130, 131),  # rt_sigsuspend sigaltstack
    (137, 138),  # statfs fstatfs
    (140, 140),  # getpriority
    (143, 143),  # sched_getparam
    (145, 147),  # sched_getscheduler sched_get_priority_max sched_get_priority_min
    (158, 158),  # arch_prctl
    (186, 186),  # gettid
    (201, 204),  # time futex sched_setaffinity sched_getaffinity
    (217, 219),  # getdents64 set_tid_address restart_syscall
    (221, 221),  # fadvise64
    (228, 233),  # clock_gettime clock_getres clock_nanosleep exit_group epoll_wait epoll_ctl
    (247, 247),  # waitid
    (257, 258),  # openat mkdirat
    (262, 271),  # newfstatat unlinkat renameat linkat symlinkat readlinkat fchmodat faccessat pselect6 ppoll
    (273, 274),  # set_robust_list get_robust_list
    (280, 281),  # utimensat epoll_pwait
    (285, 285),  # fallocate
    (290, 293),  # eventfd2 epoll_create1 dup3 pipe2
    (309, 309),  # getcpu
    (316, 316),  # renameat2
    (318, 318),  # getrandom
    (324, 324),  # membarrier
    (332, 332),  # statx
    (334, 334),  # rseq
    (436, 436),  # close_range
    (439, 439),  # faccessat2
    (449, 449),  # futex_waitv
)
_IOCTL = 16
_SOCKETPAIR = 53
_CLONE = 56
_FORK = 57
_VFORK = 58
_EXECVE = 59
_KILL_CALL = 62
_PRCTL = 157
_TGKILL = 234
_PRLIMIT64 = 302
_EXECVEAT = 322
_CLONE3 = 435
_PRCTL_OPTIONS = (15, 16, 0x53564D41)  # SET_NAME, GET_NAME, SET_VMA
_IOCTL_REQUESTS = (0x5451, 0x5450, 0x5421, 0x541B, 0x5401, 0x5413)  # FIOCLEX FIONCLEX FIONBIO FIONREAD TCGETS WINSZ


def _argument(index: int, high: bool = False) -> Instruction:
    return (_LOAD, 0, 0, 16 + 8 * index + 4 * high)


def _answer(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


def _when(number: int, body: Sequence[Instruction]) -> list[Instruction]:
    return [(_JEQ, 0, len(body), number), *body]


def _one_of(values: Sequence[int]) -> list[Instruction]:
    return [step for value in values for step in ((_JEQ, 0, 1, value), _answer(_ALLOW))]


def _search(ranges: Sequence[tuple[int, int]]) -> list[Instruction]:
    """Allow a call number inside `ranges` by binary search; the last instruction of a miss jumps to `_MISS`."""
    if len(ranges) == 1:
        low, high = ranges[0]
        return [(_JGE, 0, 2, low), (_JGE, 1, 0, high + 1), _answer(_ALLOW), (_JUMP, 0, 0, -1)]
    middle = len(ranges) // 2
    left = _search(ranges[:middle])
    right = _search(ranges[middle:])
    if len(left) <= 255:
        return [(_JGE, len(left), 0, ranges[middle][0]), *left, *right]
    return [(_JGE, 0, 1, ranges[middle][0]), (_JUMP, 0, 0, len(left)), *left, *right]


def _resolve_misses(program: list[Instruction]) -> list[Instruction]:
    end = len(program)
    return [(_JUMP, 0, 0, end - at - 1) if step == (_JUMP, 0, 0, -1) else step for at, step in enumerate(program)]


def _special(allow_fork: bool, allow_exec: Exec, own_pid_only: bool) -> list[Instruction]:
    threads_only = [] if allow_fork else [(_JSET, 1, 0, _CLONE_THREAD), _answer(_EPERM)]
    steps = _when(_CLONE3, [_answer(_ENOSYS)])
    refuse_namespaces = [_argument(0), (_JSET, 0, 1, _NAMESPACE_FLAGS), _answer(_EPERM)]
    steps += _when(_CLONE, [*refuse_namespaces, *threads_only, _answer(_ALLOW)])
    steps += _when(_PRCTL, [_argument(0), *_one_of(_PRCTL_OPTIONS), _answer(_EPERM)])
    steps += _when(_IOCTL, [_argument(1), *_one_of(_IOCTL_REQUESTS), _answer(_ENOTTY)])
    steps += _when(_SOCKETPAIR, [_argument(0), *_one_of((_AF_UNIX,)), _answer(_EPERM)])
    read_only = [_argument(2), (_JEQ, 0, 3, 0), _argument(2, high=True), (_JEQ, 0, 1, 0), _answer(_ALLOW)]
    steps += _when(_PRLIMIT64, [*read_only, _answer(_EPERM)])
    signal_body = [_argument(0), *_one_of((_OWN_PID,)), _answer(_EPERM)] if own_pid_only else [_answer(_ALLOW)]
    for call in (_KILL_CALL, _TGKILL):
        steps += _when(call, signal_body)
    allowed = [*((_FORK, _VFORK) if allow_fork else ()), *((_EXECVE,) if allow_exec is True else ())]
    if allow_exec == "once":
        flags = [_argument(4), *_one_of((_AT_EMPTY_PATH,)), _answer(_EPERM)]
        steps += _when(_EXECVEAT, [_argument(0), (_JEQ, 0, len(flags), EXEC_ONCE), *flags, _answer(_EPERM)])
    return steps + _one_of(allowed)


def program(allow_fork: bool = False, allow_exec: Exec = False, own_pid_only: bool = False) -> list[Instruction]:
    """Return the filter's instructions (code, jump if true, jump if false, operand)."""
    steps: list[Instruction] = [(_LOAD, 0, 0, 4), (_JEQ, 1, 0, _AUDIT_X86_64), _answer(_KILL)]
    steps += [(_LOAD, 0, 0, 0), (_JGE, 0, 1, _X32_BIT), _answer(_KILL)]
    steps += _resolve_misses(_search(_PLAIN))
    return [*steps, *_special(allow_fork, allow_exec, own_pid_only), _answer(_EPERM)]


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class Filter:
    """A compiled filter, built once and installed in each program just before its first line."""

    def __init__(self, allow_fork: bool = False, allow_exec: Exec = False, own_pid_only: bool = False) -> None:
        if platform.machine() != "x86_64":
            raise OSError(0, f"no system call table for {platform.machine()}")
        steps = program(allow_fork, allow_exec, own_pid_only)
        code = b"".join(struct.pack("<HBBI", *step) for step in steps)
        self._code = ctypes.create_string_buffer(code, len(code))
        self._own_pid_at = [8 * at + 4 for at, step in enumerate(steps) if step[3] == _OWN_PID]
        self._program = _FilterProgram(len(steps), ctypes.addressof(self._code))
        self._reference = ctypes.byref(self._program)

    def install(self, pid: int) -> None:
        """Bind this process (id `pid`) and its children to the filter, for good."""
        for offset in self._own_pid_at:
            ctypes.memmove(ctypes.addressof(self._code) + offset, struct.pack("<I", pid), 4)
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        if kernel.prctl_raw(_PR_SET_SECCOMP, 2, self._reference, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the kernel refused the seccomp filter")
