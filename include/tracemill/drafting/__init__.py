"""Drafts a recipe from somebody's problems and a model: what the rows hold, which column is what, and the YAML."""
