"""Lets a process execute files of chosen folders only (Landlock, Linux 5.13 and later); nothing where there is none.

Namespaces, the read-only root and the filter of system calls hold without it: this is one wall more around compilers.
"""

import ctypes
import glob
import os

from . import kernel

# Assemblers, linkers, the loader, and what compilers start of their own. Of /usr/bin nothing else: it holds
# interpreters of commands. A link is followed, and the rule is for the file at its end.
_BINARIES = ("as", "ld", "ld.bfd", "ld.gold", "ld.lld", "gcc", "gcc-[0-9]*", "g++", "g++-[0-9]*", "cc", "c++")
_TOOLS = (
    *(f"{folder}/{name}" for folder in ("/usr/bin", "/usr/local/bin") for name in _BINARIES),
    *("/usr/lib/gcc", "/usr/libexec/gcc", "/usr/local/lib/gcc", "/usr/local/libexec/gcc", "/usr/lib/gold-ld"),
    *("/usr/lib/go", "/usr/lib/go-*", "/usr/share/go-*", "/usr/local/go", "/usr/lib/jvm", "/opt/java"),
    *("/usr/lib/rustlib", "/usr/lib/llvm-*/bin", "/usr/local/cargo", "/usr/local/rustup", "/toolchains"),
    *("/lib64/ld-linux-*.so.*", "/lib/ld-linux-*.so.*", "/lib/ld-musl-*.so.*"),
)
_CREATE = 444
_ADD = 445
_RESTRICT = 446
_EXECUTE = 1
_PATH_BENEATH = 1


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled", ctypes.c_uint64),)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def tool_paths(compiler: str) -> list[str]:
    """Return what a build may execute: `compiler`, and the files and folders of the tool-chains that are here."""
    return [compiler, *(path for pattern in _TOOLS for path in sorted(glob.glob(pattern)))]


def execute_only(paths: list[str]) -> bool:
    """Allow this process and its children to execute `paths` and what lies below; returns whether the kernel can."""
    rules = _Ruleset(_EXECUTE)
    ruleset = kernel.call(_CREATE, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    if ruleset < 0:
        return False
    for path in paths:
        try:
            parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        beneath = _Beneath(_EXECUTE, parent)
        kernel.call(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0)
        os.close(parent)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    held = kernel.call(_RESTRICT, ruleset, 0) == 0
    os.close(ruleset)
    return held
