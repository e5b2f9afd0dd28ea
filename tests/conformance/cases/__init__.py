"""One case for each rule of the join in docs/PRICES.md, by its headings."""

from cases import eligible, level, money, several  # noqa: F401: their cases register themselves
from cases.registry import CASES, given

__all__ = ["CASES", "given"]
