"""Lets a process execute files of chosen folders only (Landlock, Linux 5.13 and later); nothing where there is none.

Namespaces, the read-only root and the filter of system calls hold without it: this is one wall more around compilers.
"""

import ctypes
import os

from . import kernel

# Compilers, assemblers, linkers and the loader lie here, and no interpreter of commands does its work for them.
TOOL_FOLDERS = (
    *("/usr/bin", "/usr/local/bin", "/usr/lib", "/usr/libexec", "/usr/local/lib", "/usr/local/go", "/usr/local/cargo"),
    *("/lib", "/lib64", "/opt/java", "/toolchains"),
)
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_EXECUTE = 1
_PATH_BENEATH = 1


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled", ctypes.c_uint64),)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def execute_only(folders: tuple[str, ...]) -> bool:
    """Allow this process and its children to execute files below `folders` only; returns whether the kernel can."""
    rules = _Ruleset(_EXECUTE)
    ruleset = kernel.call(_CREATE, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    if ruleset < 0:
        return False
    for folder in folders:
        try:
            parent = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        beneath = _Beneath(_EXECUTE, parent)
        kernel.call(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0)
        os.close(parent)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    held = kernel.call(_RESTRICT, ruleset, 0) == 0
    os.close(ruleset)
    return held
