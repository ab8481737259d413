"""Brings a store of an older format to today's: what was published, revoked and decided keeps its meaning."""
