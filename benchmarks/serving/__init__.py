"""How close distilling comes to the bare engine, what a kill costs, and what a refresh pays: `make bench-serving`."""
