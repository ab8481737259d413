"""Runs programs that nobody trusts and judges them from outside. Start at base.py."""
