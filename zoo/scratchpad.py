"""Written arithmetic that a small network can follow: every step is a one-token carry or a product of two digits.

Sums of two-digit numbers are written at once; longer ones are split at the hundreds, products at every digit. `Pad`
keeps two texts of one computation: the full working (for the thoughts) and the main results (for the answer).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Pad:
    """A computation being written down: `working` holds every line, `results` one equation for each operation."""

    working: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)

    def add(self, a: int, b: int) -> int:
        """a + b; a negative b is written as a subtraction."""
        if b < 0:
            return self.subtract(a, -b)
        if a < 0:
            return self._record(a, "+", b, a + b, "" if -a <= 100 and b <= 100 else f"{b}-{-a}={a + b}")
        return self._record(a, "+", b, a + b, _sum_text(a, b))

    def subtract(self, a: int, b: int) -> int:
        """a - b; a negative result goes through the mirrored difference."""
        if b < 0:
            return self.add(a, -b)
        return self._record(a, "-", b, a - b, _difference_text(a, b))

    def multiply(self, a: int, b: int) -> int:
        """a * b, split by the digits of both factors; the sign is settled at the end."""
        return self._record(a, "*", b, a * b, _product_text(abs(a), abs(b)))

    def divide(self, a: int, b: int) -> int:
        """The exact quotient a / b with its proof; raises ValueError when it is not whole."""
        quotient, rest = divmod(a, b)
        if rest:
            raise ValueError(f"{a} is not divisible by {b}")
        return self._record(a, "/", b, quotient, "")

    def _record(self, a: int, sign: str, b: int, result: int, split: str) -> int:
        right = f"({b})" if b < 0 else str(b)
        equation = f"{a}{sign}{right}={result}"
        line = f"{a}{sign}{right}:{split}" if split else equation
        self.working.append(line if line.endswith(f"={result}") else f"{line}, so {equation}")
        self.results.append(equation)
        return result


def _sum_text(a: int, b: int) -> str:
    if a < 100 and b < 100:
        return ""
    high, low = a // 100 * 100 + b // 100 * 100, a % 100 + b % 100
    parts = []
    if a >= 100 and b >= 100:
        parts.append(f"{a // 100 * 100}+{b // 100 * 100}={high}")
    parts.append(f"{a % 100}+{b % 100}={low}")
    if low:
        parts.append(f"{high}+{low}={a + b}")
    return ",".join(parts)


def _difference_text(a: int, b: int) -> str:
    if a < 0 or (a < 100 and b < 100):
        return ""
    if a < b:
        return f"{b}-{a}={b - a}"
    hundreds, rest = b // 100 * 100, b % 100
    if hundreds and rest:
        return f"{a}-{hundreds}={a - hundreds},{a - hundreds}-{rest}={a - b}"
    return ""


def _product_text(a: int, b: int) -> str:
    if (a < 10 and b < 10) or 0 in (a, b):
        return ""
    pieces = [(x, y, x * y) for x in _place_values(a) for y in _place_values(b)]
    if len(pieces) == 1:
        return ""
    parts = [f"{x}*{y}={value}" for x, y, value in pieces]
    total = pieces[0][2]
    for _, _, value in pieces[1:]:
        parts.append(f"{total}+{value}={total + value}")
        total += value
    return ",".join(parts)


def _place_values(number: int) -> list[int]:
    digits = str(number)
    values = (int(digit) * 10 ** (len(digits) - place - 1) for place, digit in enumerate(digits))
    return [value for value in values if value]
