"""`tracemill report`: one page that leads from problems to what a student scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tracemill.cli.versions import out


def report(
    built: Annotated[str, typer.Argument(help="The store of the recipe that trained: a path or any fsspec URL.")],
    evaluated: Annotated[str, typer.Argument(help="The store of the recipe that asked the student and its base.")],
    to: Annotated[Path, typer.Option(help="A new or empty folder, or that of an earlier page.")],
) -> None:
    """Write one page with pictures: where every row went, grades, loss, the score before and after, and what all cost.

    The student is the last training's, which must name a `folder`; the evaluation asks what lies there, and the weights
    that the training began with. An evaluation of other weights is refused.

    Examples:

        tracemill report var/store/demo_full/v1 var/store/evaluate_demo_full/v1 --to var/demo_full/report
    """
    from tracemill.engine.store import Store
    from tracemill.report.student import student_report
    from tracemill.report.student_folder import lay_out
    from tracemill.report.student_page import verdicts

    found = student_report(Store.at(built), Store.at(evaluated))
    page = lay_out(found, to)
    for line in verdicts(found):
        out.print(escape(line), soft_wrap=True)
    out.print(f"Page: {escape(str(page))}", soft_wrap=True)


def mount(app: typer.Typer) -> None:
    """Make this command a command of `app`."""
    app.command()(report)
