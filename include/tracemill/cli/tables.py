"""Tables for people whose words stay whole: an id that was cut cannot be typed again."""

from __future__ import annotations

import rich.table


class Table(rich.table.Table):
    """A table that folds what does not fit into the terminal, and cuts nothing off."""

    def __init__(self, *headers: str, show_lines: bool = False) -> None:
        super().__init__(*(rich.table.Column(header, overflow="fold") for header in headers), show_lines=show_lines)
