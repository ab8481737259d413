"""Proposes which teacher is asked which problems, from what several pilots measured of the same ones."""
