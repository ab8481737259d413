"""How the CPU side of a recipe behaves at the size of the published data set: `python -m benchmarks.data --help`."""
