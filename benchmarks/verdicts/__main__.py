"""Verdicts on labelled answers, cases and mutants of the files that TRACEMILL_DATA names; see benchmarks.figures."""

import benchmarks.verdicts as package
from benchmarks.figures import run
from benchmarks.verdicts.bounds import LEAST, MOST

if __name__ == "__main__":
    run(package, MOST, LEAST)
