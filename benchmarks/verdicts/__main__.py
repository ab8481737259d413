"""Verdicts on labelled answers, cases and mutants of the files that TRACEMILL_DATA names; see benchmarks.figures."""

import benchmarks.verdicts as package
from benchmarks.figures import run

if __name__ == "__main__":
    run(package)
