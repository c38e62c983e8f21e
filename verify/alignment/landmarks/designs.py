"""Data on which what SACPO prints about them fails, each printed assumption met."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..families.designs import Axes, Fit, Lone


def _numbers(*texts: str) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, texts))


def printed(ridge: int | Fraction = 4, few: int = 10**6, many: int = 10**10, **changes: Any) -> Fit:
    """Reward is seen at the worse response only, safety at the better one only: lam = 0."""
    data: dict[str, Any] = {
        "reference": _numbers("9/10", "1/10"),
        "reward": _numbers("0", "1"),
        "safety": _numbers("-4/5", "1/5"),
        "reward_counts": (few, 0),
        "safety_counts": (0, many),
        "ridge": Fraction(ridge),
        "fitting": Fraction(ridge),
        "temperature": Fraction(1, 4),
        "failure": Fraction(1, 10),
        "multiplier": Fraction(0),
        "estimated": Fraction(0),
        "level": Fraction(0),
    }
    return Fit(**data | changes)


def active(**changes: Any) -> Fit:
    """The constraint binds: lam is 1/10, and the level what its policy reaches."""
    given: dict[str, Any] = {
        "safety": _numbers("-4/5", "0"), "multiplier": Fraction(1, 10),
        "estimated": Fraction(1, 10), "level": None,
    }  # fmt: skip
    return printed(many=10**12, **given | changes)


def unseen(ridge: int = 5) -> Lone:
    """A response without labels, whose weight is B."""
    return Lone(Fraction(1), 0, Fraction(ridge), Fraction(1), Fraction(1, 10))


def many_signs() -> Axes:
    """2^100 responses, 99 labels of each unit vector."""
    return Axes(10, 99, Fraction(1), Fraction(1, 10))
