"""The interval in which a proportion lies, for counts of things that agree."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist


def wilson(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (J. Amer. Statist. Assoc. 22, 1927). Raises ValueError for no count."""
    if not 0 <= hits <= of or of == 0:
        raise ValueError(f"{hits} of {of} is no proportion")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = hits / of
    middle = share + z * z / (2 * of)
    reach = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return max((middle - reach) / scale, 0.0), min((middle + reach) / scale, 1.0)
