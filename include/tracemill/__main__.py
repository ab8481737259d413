"""`python -m tracemill` is the `tracemill` command."""

from tracemill.cli import app

if __name__ == "__main__":
    app(prog_name="tracemill")
