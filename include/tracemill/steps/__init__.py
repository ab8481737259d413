"""The steps a recipe can name after `plan` and `ingest`. To add one: its file, an import here, its name in AnyStep."""
