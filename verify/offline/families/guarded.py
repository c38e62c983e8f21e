"""Cases of guarded planning: what of a model is supported, rules of a plan, estimated costs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers import CMDP

from ...binding.draws import Draw
from ...binding.family import Family

Guard = tuple[bool, ...]
"""Of each choice, whether it is supported."""


def guard(draw: Draw, model: CMDP, *_: object) -> Guard:
    """Three choices in four are supported."""
    return tuple(draw.integer(0, 3) > 0 for _ in range(model.n_choices))


@dataclass(frozen=True, slots=True)
class Rules:
    """Of a plan: how often the error term is taken off its budget; whether the guard is kept;
    share: how much of the worst plan is mixed in; comparable: whether the budgets are those of the
    comparator."""

    tightening: Fraction = Fraction(1)
    guarded: bool = True
    share: Fraction = Fraction(0)
    comparable: bool = True


def rules(draw: Draw, *_: object) -> Rules:
    """As they should be, tightened enough or more."""
    more = draw.choice((Fraction(1), Fraction(5, 4)))
    return Rules(more, share=draw.choice((Fraction(0), Fraction(1, 3))))


def window(draw: Draw, *_: object) -> int:
    """Steps of a window after the first."""
    return draw.integer(0, 4)


@dataclass(frozen=True, slots=True)
class Estimates:
    """Of one policy: budgets, estimated and true costs by constraint, and the margin eps_s."""

    budgets: tuple[Fraction, ...]
    estimates: tuple[Fraction, ...]
    costs: tuple[Fraction, ...]
    margin: Fraction


def estimates(*, slack: bool = True, accurate: bool = True, absolute: bool = False) -> Family:
    """One or two costs in quarters.

    slack: estimates keep the margin; accurate: they are off by the margin at most; absolute: some
    estimate is the margin or more from its budget, to either side, and all of them are exact.
    """

    def base(draw: Draw) -> Estimates:
        margin = Fraction(draw.integer(1, 4), 4)
        budgets, found, costs = [], [], []
        for _ in range(draw.integer(1, 2)):
            estimate = Fraction(draw.integer(0, 8), 4)
            gap = margin + Fraction(draw.integer(0, 3), 4)
            error = Fraction(draw.integer(-4, 4), 4) * margin
            if absolute:
                error, gap = Fraction(0), gap if draw.integer(0, 1) else -gap
            elif not slack:
                gap -= margin
            if not accurate:
                error = gap + Fraction(draw.integer(0, 2), 4)
            budgets.append(max(estimate + gap, Fraction(0)))
            found.append(estimate)
            costs.append(max(estimate + error, Fraction(0)))
        return Estimates(tuple(budgets), tuple(found), tuple(costs), margin)

    return Family("estimated costs with a margin", base)
