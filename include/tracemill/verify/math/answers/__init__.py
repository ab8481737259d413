"""Says whether two answers are the same answer, and says so only when all of both was compared.

tokens     text to tokens; every character of an answer ends in one, or the answer is unreadable
formula    tokens to a formula: a grammar without guesses; what it does not know is unreadable
values     what a formula is worth at given values of its letters: exact where it can be, else to 50 digits
sameness   whether two formulas are equal: at enough points
units      what stands behind a number
shapes     what an answer can be: a quantity, words, choices, a list, a region, ...
reading    tokens to a shape
comparing  two shapes to "equal", "different" or "unknown"
"""
