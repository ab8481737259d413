"""CPU seconds of whole process trees, read from /proc, so that daemons and their containers are counted too."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_DAEMONS = ("dockerd", "containerd", "containerd-shim")


def _table() -> dict[int, tuple[str, int, float]]:
    """Return (name, parent, CPU seconds of itself and its reaped children) by process id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue
            name, _, rest = text[text.index("(") + 1 :].rpartition(") ")
            fields = rest.split()
            found[int(entry.name)] = (name, int(fields[1]), sum(map(int, fields[11:15])) / _TICKS)
    return found


def tree_seconds(daemons: bool) -> float:
    """Return the CPU seconds of this process and its descendants; `daemons` adds Docker's and theirs."""
    table = _table()
    wanted = {os.getpid()}
    if daemons:
        wanted |= {pid for pid, (name, _, _) in table.items() if name.startswith(_DAEMONS)}
    grown = True
    while grown:
        more = {pid for pid, (_, parent, _) in table.items() if parent in wanted} - wanted
        wanted |= more
        grown = bool(more)
    return sum(table[pid][2] for pid in wanted if pid in table)
