"""Rows read, merged, dropped and caught, on files that this package writes itself; see benchmarks.figures."""

import benchmarks.rows as package
from benchmarks.figures import run

if __name__ == "__main__":
    run(package)
