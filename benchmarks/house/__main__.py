"""How easy the house is to walk: layers, cycles, packed lines, sizes, annotations; see benchmarks.figures."""

import benchmarks.house as package
from benchmarks.figures import run

# Beyond these the benchmark ends with exit status 1.
MOST = {
    "layers": 10,
    "arrows_up": 0,
    "cycles": 0,
    "linter_exceptions": 0,
    "packed_per_kloc": 1.5,
    "longest_file": 300,
    "longest_function": 50,
    "unannotated": 0,
    "broad_excepts_per_kloc": 0.3,
}

if __name__ == "__main__":
    run(package, MOST, {})
