"""The part that trains, in the environment .venv-train: torch, transformers, trl and the standard library alone."""
