"""Tells a compiler that refused a program from one that was ended: by a limit of the sandbox, or by its own fault.

A compiler that was ended shows nothing about the program. A compiler is a driver and its children, and what ends a
child reaches us as the driver's words only; they count at the beginning of a line.
"""

import re
import signal
from typing import Any

_KILLED = frozenset((-signal.SIGKILL, -signal.SIGXCPU, -signal.SIGXFSZ))
_WORDS = (
    # gcc, its linker and its assembler
    rb"[\w+-]+: (?:fatal error|internal compiler error): [\w ]+ signal terminated program \w+$",
    rb"collect2: (?:fatal )?error: ld terminated with signal \d+",
    rb"(?:\w+: )?(?:out of memory allocating \d+ bytes|virtual memory exhausted: )",
    rb"\S+: (?:final link failed|fatal error: error writing|error writing|write|final close failed)[^\n]*: "
    rb"(?:memory exhausted|No space left on device|file truncated|File truncated|File too large)",
    rb"(?:[^\s:]+:(?:\d+:)* |error: )?internal compiler error: ",
    # javac
    rb"The system is out of resources\.$",
    rb"java\.lang\.(?:OutOfMemoryError|StackOverflowError)(?::|$)",
    rb"# There is insufficient memory for the Java Runtime|Error occurred during initialization of (?:VM|boot layer)$",
    # rustc, go
    rb"memory allocation of \d+ bytes failed|error: the compiler unexpectedly panicked",
    rb"(?:fatal error: )?(?:runtime: )?(?:out of memory|cannot allocate memory)\b",
    rb"(?:go build \S+: )?\S+: (?:signal: (?:killed|aborted)|fork/exec \S+: [^\n]*|[^\n]*no space left on device)$",
)
_ENDED = re.compile(rb"^(?:" + rb"|".join(_WORDS) + rb")", re.MULTILINE)


def was_ended(report: dict[str, Any], text: bytes) -> bool:
    """Return whether the compiler came to no end of its own; `report` is the kernel's, `text` what was printed."""
    return report["exit"] in _KILLED or report["idle"] or _ENDED.search(text) is not None
