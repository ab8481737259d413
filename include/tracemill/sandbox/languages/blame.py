"""Whose fault it is when a compiler runs into the sandbox's limits: the source's own, by two rules, or nobody's.

1. The source reads a file that no program has a reason to read: an absolute path (`/dev/zero`), or one above its own.
2. A template names itself with a changed argument, so that its expansion is as large as the source says.

Whatever else is too much for the compiler (long tables, heavy headers) may be right on a machine with more.
"""

import re

_FOREIGN_FILE = re.compile(
    r"""^[ \t]*\#[ \t]*(?:include|include_next|embed|import)[ \t]*["<](?:/|\.\./)"""
    r"""|\binclude(?:_str|_bytes)?!\s?[(\[{]\s?"(?:/|\.\./)|\.incbin\s?\\?"(?:/|\.\./)|^//go:embed\s/""",
    re.MULTILINE,
)
_TEMPLATE = re.compile(
    r"\btemplate\s?<[^;{}]{0,300}?>\s{0,9}(?:struct|class|union|constexpr|static|inline|int|auto|\s){1,9}\s(\w{1,99})"
)
_STEP = r"\s?<[^;{}]{0,300}?\w\s?(?:[-+*/]|<<|>>)\s?[\w(]"
_NAMES = 50  # of templates that are looked at


def is_to_blame(source: str) -> bool:
    """Return whether the source itself is the reason why a compiler ran into a limit."""
    if _FOREIGN_FILE.search(source):
        return True
    names = sorted({found[1] for found in _TEMPLATE.finditer(source)})[:_NAMES]
    return bool(names) and re.search(rf"\b(?:{'|'.join(names)}){_STEP}", source) is not None
