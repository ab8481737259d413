"""What grading and sampling policies save, and how exact they are; see benchmarks.figures."""

import benchmarks.grading as package
from benchmarks.figures import run

if __name__ == "__main__":
    run(package, most={"curtailed_set_difference": 0})
