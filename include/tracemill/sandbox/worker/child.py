"""What every program process gives up before its first line: descriptors, identity, capabilities, limits, calls."""

import atexit
import gc
import os
import resource
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from . import kernel
from .seccomp import Exec, Filter

EXIT_MEMORY = 91  # a MemoryError reached the top of the program
EXIT_BROKEN = 97  # the process could not be confined; never the program's own doing
STACK_BYTES = 256 << 20
_NEAR = 16  # the last sixteenth of the address space
_run_exit_functions: Callable[[], None] = atexit._run_exitfuncs


class Jail:
    """How this worker confines programs: in namespaces of its own, or as the only tenant of a container."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.namespaces: bool = config["namespaces"]
        self.uid: int | None = config.get("uid")
        self._filters: dict[tuple[bool, Exec], Filter] = {}

    def filter(self, allow_fork: bool, allow_exec: Exec) -> Filter:
        """Return the system call filter for these rights, compiled once."""
        key = (allow_fork, allow_exec)
        if key not in self._filters:
            self._filters[key] = Filter(allow_fork, allow_exec, own_pid_only=not self.namespaces)
        return self._filters[key]


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    ceiling = resource.getrlimit(kind)[1]
    hard = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft = min(soft, ceiling)
        hard = min(hard, ceiling)
    resource.setrlimit(kind, (soft, hard))


def set_limits(limits: dict[str, Any], files: int) -> None:
    """Apply `limits` (cpu in seconds; output, memory and address_space in bytes; processes) to this process."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits["output"])
    _limit(resource.RLIMIT_NOFILE, files)
    _limit(resource.RLIMIT_NPROC, limits["processes"])
    seconds = max(1, int(limits["cpu"] + 0.999))
    _limit(resource.RLIMIT_CPU, seconds, seconds + 1)
    if limits.get("address_space"):
        _limit(resource.RLIMIT_AS, limits["address_space"])
    _limit(resource.RLIMIT_STACK, STACK_BYTES)
    _limit(resource.RLIMIT_MEMLOCK, 0)
    _limit(resource.RLIMIT_MSGQUEUE, 0)


def _prefer_for_oom() -> None:
    """Let the kernel choose this process, not the worker, when the slot's memory is spent."""
    try:
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    except OSError:
        return
    os.write(fd, b"1000")
    os.close(fd)


def confine(jail: Jail, limits: dict[str, Any], keep: int, standard: tuple[int, int, int], files: int = 64) -> None:
    """Give up everything but descriptors below `keep`; `standard` become 0, 1 and 2. The filter comes last, apart."""
    os.setsid()
    for target, fd in enumerate(standard):
        os.dup2(fd, target)
    kernel.close_range(keep, 0xFFFFFFFF, 0)
    _prefer_for_oom()
    if jail.uid is not None:
        os.setgroups([])
        os.setresgid(jail.uid, jail.uid, jail.uid)
        os.setresuid(jail.uid, jail.uid, jail.uid)
    set_limits(limits, files)
    kernel.drop_capabilities()
    os.chdir("/tmp")


def _forget_main() -> None:
    """Let go of the program's objects, so that files it left open are flushed."""
    names = vars(sys.modules["__main__"])
    if names:
        names.clear()
        gc.collect()


def _flush(name: str) -> None:
    getattr(sys, name).flush()


def finish(code: int) -> NoReturn:
    """End the process as the interpreter would: join threads, run exit functions, flush, then exit with `code`."""
    threading = sys.modules.get("threading")
    steps = (getattr(threading, "_shutdown", None), _run_exit_functions, lambda: _flush("stdout"), _forget_main)
    for step in (*steps, lambda: _flush("__stdout__"), lambda: _flush("stderr")):
        try:
            if step is not None:
                step()
        except MemoryError:
            os._exit(EXIT_MEMORY)
        except BaseException:  # noqa: BLE001 - the program may have replaced any of these; the process ends here
            code = code or 120
    os._exit(code)


def _exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return int.__int__(error.code) & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def memory_spent() -> bool:
    """Return whether this process has come so near to its limit of address space that an allocation may have failed.

    Libraries swallow that failure or turn it into another now and then: by this the same program is always called the
    same. Advisory as all that a program's process says; it tells failures apart, never failure from success.
    """
    try:
        with open("/proc/self/status", "rb") as file:
            peak = next(int(line.split()[1]) << 10 for line in file if line.startswith(b"VmPeak:"))
    except MemoryError:
        return True
    except (OSError, ValueError, StopIteration):
        return False
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return limit != resource.RLIM_INFINITY and peak > limit - limit // _NEAR


def run(function: Callable[..., object], *arguments: object) -> NoReturn:
    """Call `function` as the main program of this process and exit as an interpreter would."""
    code = 1
    try:
        function(*arguments)
        code = 0
    except SystemExit as error:
        code = _exit_code(error)
    except MemoryError:
        code = EXIT_MEMORY
    except BaseException:  # noqa: BLE001 - the boundary: whatever a program raises ends as its traceback and exit 1
        code = EXIT_MEMORY if memory_spent() else 1
        traceback.print_exc()
    finally:
        finish(code)
