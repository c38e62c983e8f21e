"""Multipliers: measured costs with a controller, equality-constrained problems, dual ascent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from holdfast.solvers import CMDP
from holdfast.solvers.offline.multipliers.controllers import (
    PID,
    Ascent,
    Controller,
    Incremental,
    Omnisafe,
)

from ...binding.draws import Draw
from ...binding.family import Family
from ...cmdp.families.cmdps import cmdps


def quarter(draw: Draw, most: int, least: int = 0) -> Fraction:
    """A multiple of 1/4."""
    return Fraction(draw.integer(least, most), 4)


def costs(draw: Draw, *_: object) -> tuple[Fraction, ...]:
    """2 to 12 measured costs from 0 to 4."""
    return tuple(quarter(draw, 16) for _ in range(draw.integer(2, 12)))


@dataclass(frozen=True, slots=True)
class Equality:
    """min f s.t. h = 0 in one variable: coefficients from the constant one up, and step sizes."""

    objective: tuple[Fraction, ...]
    constraint: tuple[Fraction, ...]
    start: Fraction
    first_multiplier: Fraction
    rate: Fraction
    gain: Fraction
    penalty: Fraction
    updates: int


def equalities() -> Family:
    """Polynomials of degree 3 at most, convex or not."""

    def base(draw: Draw) -> Equality:
        f = tuple(Fraction(draw.integer(-2, 2)) for _ in range(4))
        h = tuple(Fraction(draw.integer(-2, 2)) for _ in range(3))
        rate, gain, penalty = (Fraction(draw.integer(1, 4), 8) for _ in range(3))
        start, first = quarter(draw, 6, -6), quarter(draw, 4, -4)
        return Equality(f, h, start, first, rate, gain, penalty, draw.integer(1, 4))

    return Family("equality constraints on a line", base)


def scaled_forms(draw: Draw, *_: object) -> tuple[Callable[[Fraction], Controller], Fraction, bool]:
    """A controller as a function of the factor of its gains, a factor, and that gains follow it."""
    kinds: tuple[Any, ...] = (PID, Omnisafe, Incremental, Ascent)
    kind, form = draw.choice(kinds), draw.choice(("stooke", "fsrl", "osrl"))
    gains = [quarter(draw, 6, 1) for _ in range(3)]
    start, limit, cap = quarter(draw, 8), quarter(draw, 8), quarter(draw, 200, 9)
    more: dict[str, Any] = {}
    if kind is PID:
        more = {"form": form}
    if kind is Omnisafe:
        more = {"memory": Fraction(1, 2), "cost_memory": Fraction(3, 4), "delay": 2, "norm": "none"}

    def made(factor: Fraction) -> Controller:
        scaled = [factor * one for one in (gains[:1] if kind is Ascent else gains)]
        made: Controller = kind(limit, *scaled, start=factor * start, cap=factor * cap, **more)
        return made

    return made, draw.choice((Fraction(2), Fraction(1, 3), Fraction(10))), True


@dataclass(frozen=True, slots=True)
class Ascended:
    """Dual ascent on a model with one cost."""

    model: CMDP
    step: Fraction
    first: Fraction
    updates: int


def ascents() -> Family:
    """With rewards of at least 0 and some policy within the budget by a margin."""
    inner = cmdps(constraints=(1, 1), slater=True, bounded_reward=True)

    def base(draw: Draw) -> Ascended:
        model = inner.draw(draw)[0]
        step = draw.choice((Fraction(1), Fraction(1, 20), Fraction(1, 5), Fraction(4)))
        return Ascended(model, step, draw.choice((Fraction(0), Fraction(1), Fraction(5))),
                        draw.integer(1, 12))  # fmt: skip

    return Family("dual ascent with best responses", base)
