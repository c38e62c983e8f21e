"""Families of window-constrained problems, small enough to be optimised exactly.

`windows` draws one shape only: a few chance states, one state with two to four actions, a few
hazards after it, an end and an unsafe state.  That is the shape of CE-1, and no accident: it is the
smallest in which a window meets a decision once and begins before it, so that the optimum is one
linear program.  The hunt is told the shape, not the model: transitions, rewards, level, start and
the numbers of states and actions are drawn.  The level is the risk of always taking the first
action, or more, so that some policy meets every window by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from holdfast.solvers import CMDP, ModelError, Policy, policy_iteration
from holdfast.solvers.chance.windows.optimum import window_rows
from holdfast.solvers.chance.windows.problem import WindowProblem, action_risks, excess_risk
from holdfast.solvers.models.arrays import assemble

from ...binding.draws import Draw
from ...binding.family import Family, OutOfScope
from ...cmdp.families.cmdps import skeleton
from ..landmarks.windows import one_shot

_DISCOUNTS = (Fraction(9, 10), Fraction(1, 2))
"""One at which the future counts and one at which it hardly does, both with short fractions."""


def windows(*, window: tuple[int, int] = (1, 3), additive: bool = False) -> Family:
    """One deciding state, at most one decision in each window, every window met by some policy.
    CE-1 is of this shape.

    window: least and largest T, at most 3; additive: risks are expected numbers of unsafe states,
    and the unsafe state leads to the end.
    """

    def base(draw: Draw) -> WindowProblem:
        steps = draw.integer(*window)
        before, after = draw.choice((1, 2, 1, 0)), draw.choice((1, 2, 1, 0))
        model = _drawn(draw, before, after, recover=additive)
        free = WindowProblem(model, (model.n_states - 1,), steps, Fraction(0), additive)
        return _with_level(draw, free)

    adopt = _adopted(window, additive=additive, affine=True)
    return Family(f"windows of {window[0]} to {window[1]} steps", base, adopt=adopt)


def _drawn(draw: Draw, before: int, after: int, *, recover: bool) -> CMDP:
    """States: `before`, the deciding one, `after`, the end, the unsafe one; in this order.

    The end is absorbing, or leads back to the first state where that is at least one step before
    the deciding one: so three steps or more pass between two decisions.  Whatever belongs to one
    row is drawn together, so that shrinking can take it out.
    """
    deciding, end, unsafe = before, before + after + 1, before + after + 2
    actions, hazards = draw.choice((3, 4, 4, 2)), tuple(range(deciding + 1, end))
    rows = [(_chance(draw, s + 1, unsafe, (5, 15)), 0) for s in range(before)]
    rows.append((_action(draw, end, (end, *hazards)), 0))
    rows += [
        (_action(draw, end, (unsafe, *hazards)), draw.integer(0, 9)) for _ in range(actions - 1)
    ]
    for s in hazards:
        ahead = draw.choice((end, *range(s + 1, end)))
        rows.append((_chance(draw, ahead, unsafe, (1, 5)), draw.integer(0, 9)))
    start = deciding - draw.integer(0, before)
    loops = before > 0 and draw.integer(0, 1)
    rows += [({0 if loops else end: 1}, 0), ({end if recover else unsafe: 1}, 0)]
    counts = [1] * before + [actions] + [1] * (after + 2)
    return _assembled(counts, rows, draw.choice(_DISCOUNTS), start)


def _assembled(
    counts: list[int], rows: list[tuple[dict[int, int], int]], discount: Fraction, start: int
) -> CMDP:
    """A model from the weights of successors and the reward of each choice."""
    return assemble(
        counts=counts,
        rows=[dict(sorted(row.items())) for row, _ in rows],
        reward=[Fraction(reward) for _, reward in rows],
        discount=discount,
        initial=[int(s == start) for s in range(len(counts))],
        notes=("drawn",),
    )


def _chance(draw: Draw, ahead: int, unsafe: int, weights: tuple[int, int]) -> dict[int, int]:
    """Weights of the successors of a chance state: `ahead`, and mostly the unsafe one."""
    weight = draw.choice((1, 2, 1, 0))
    return {ahead: draw.integer(*weights)} | ({unsafe: weight} if weight else {})


def _action(draw: Draw, end: int, others: tuple[int, ...]) -> dict[int, int]:
    """Weights of the successors of an action: one of the others, and perhaps the end."""
    weight = max(0, draw.integer(-2, 3))
    return {draw.choice(others): draw.integer(1, 8)} | ({end: weight} if weight else {})


def _with_level(draw: Draw, free: WindowProblem) -> WindowProblem:
    """Between the risk of taking the first action everywhere and that of the greedy policy."""
    model = free.model
    least = excess_risk(free, Policy.of_choices(model, model.choice_start[:-1].tolist()))
    greedy = excess_risk(free, policy_iteration(model).policy(model))
    way = Fraction(max(0, draw.integer(-7, 7)), 16)
    return replace(free, level=least + max(Fraction(0), greedy - least) * way)


def _adopted(
    window: tuple[int, int], *, additive: bool = False, zero: bool = False, affine: bool = False
) -> Callable[[object], WindowProblem]:
    """Accepts problems of these windows, risks and levels; `affine` ones can be optimised."""

    def adopt(problem: object) -> WindowProblem:
        if not isinstance(problem, WindowProblem):
            raise OutOfScope(f"speaks of window problems, not of {type(problem).__name__}")
        if problem.additive is not additive:
            raise OutOfScope("the window's risk is counted in the other way")
        if not window[0] <= problem.window <= window[1]:
            raise OutOfScope(
                f"speaks of windows of {window[0]} to {window[1]} steps, not of {problem.window}"
            )
        if zero and problem.level:
            raise OutOfScope(f"speaks of level 0, not of {problem.level}")
        return _optimisable(problem) if affine else problem

    return adopt


def _optimisable(problem: WindowProblem) -> WindowProblem:
    try:
        window_rows(problem)
    except ModelError as reason:
        raise OutOfScope(str(reason)) from reason
    return problem


def watched_models(*, window: tuple[int, int] = (1, 3), level: tuple[int, int] = (0, 9)) -> Family:
    """Any small model with some unsafe states, and a level that some policy meets if T = 1 or the
    level is 0.

    level: tenths of the way from the least level to 1; at (0, 0) of models that can be safe, 0.
    """

    def base(draw: Draw) -> WindowProblem:
        model = skeleton(draw, 0, -2, least_states=2)
        unsafe = tuple(s for s in range(1, model.n_states) if draw.integer(0, 2))
        free = WindowProblem(model, unsafe, draw.integer(*window), Fraction(0))
        if level == (0, 0):
            return _kept_safe(free)
        risks = action_risks(free, [Fraction(0)] * model.n_states)
        least = max(min(risks[k] for k in free.choices(s)) for s in free.safe)
        if least == 1:  # no level below 1 could be met, so nothing is unsafe
            free, least = replace(free, unsafe=()), Fraction(0)
        return replace(free, level=least + (1 - least) * Fraction(draw.integer(*level), 10))

    adopt = _adopted(window, zero=level == (0, 0))
    return Family("small models with unsafe states", base, adopt=adopt)


def _kept_safe(free: WindowProblem) -> WindowProblem:
    """Fewer unsafe states: those that every action of some safe state risks are taken out."""
    while True:
        risks = action_risks(free, [Fraction(0)] * free.model.n_states)
        stuck = [s for s in free.safe if all(risks[k] for k in free.choices(s))]
        if not stuck:
            return free
        risked = {t for k in free.choices(stuck[0]) for t, _ in free.model.transition_row(k)}
        free = replace(free, unsafe=tuple(s for s in free.unsafe if s not in risked))


def hazards() -> Family:
    """One decision between actions with a risk and a reward; an unsafe state is met at once or
    never, and left for the end.  The first action is safe."""

    def base(draw: Draw) -> WindowProblem:
        actions = draw.integer(1, 3)
        rows = [({2: 1}, draw.integer(0, 9))]
        for _ in range(actions):
            risk = draw.integer(1, 6)
            rows.append(({1: risk} | ({2: 6 - risk} if risk < 6 else {}), draw.integer(0, 9)))
        rows += [({2: 1}, 0), ({2: 1}, 0)]
        model = _assembled([actions + 1, 1, 1], rows, draw.choice(_DISCOUNTS), 0)
        level = Fraction(draw.integer(0, 9), 10)
        return WindowProblem(model, (1,), draw.integer(1, 3), level)

    return Family("one risk to take or to leave", base)


def one_shots() -> Family:
    """Unsafe in the first step or never, as the policy likes: any gamma_c = 1 - 1/n for n up to
    1000, any level in twentieths between 0 and 1, windows of one to five steps."""

    def base(draw: Draw) -> WindowProblem:
        discount = 1 - Fraction(1, draw.integer(2, 1000))
        return one_shot(discount, Fraction(draw.integer(1, 19), 20), draw.integer(1, 5))

    return Family("unsafe at once or never", base)
