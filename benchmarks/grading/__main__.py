"""What grading and sampling policies save, and how exact they are; see benchmarks.figures."""

import benchmarks.grading as package
from benchmarks.figures import run

MOST = {
    "curtailed_set_difference": 0,
    "rows_not_as_polars": 0,
    "what_if_40m_seconds": 10.0,
    "what_if_grades_seconds": 0.3,
    "peak_gib": 1.5,
    "ngrams_time_ratio": 4.4,
    "ngrams_peak_gib": 4.0,
}  # of the figures that have a bound

if __name__ == "__main__":
    run(package, most=MOST)
