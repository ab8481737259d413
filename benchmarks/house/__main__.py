"""How easy the house is to walk and to add to: layers, cycles, sizes, files of a new part; see figures.py."""

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
    "files_to_add.source": 5,
    "files_to_add.verifier": 3,
    "files_to_add.step": 4,
    "files_to_add.policy": 2,
    "files_to_add.language": 3,
}

if __name__ == "__main__":
    run(package, MOST, {})
