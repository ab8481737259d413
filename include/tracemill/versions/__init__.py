"""Keeps a release alive: versions with their differences, refreshes that cost what is new, recalls of what leaked."""
