"""Asks of each stage whether it helps: students trained with and without it, on as many tokens, and what they score."""
