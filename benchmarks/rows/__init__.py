"""Rows of a release: whether every row is read, the right ones are dropped, and none that a benchmark holds stays."""
