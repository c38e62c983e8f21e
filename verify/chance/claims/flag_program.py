"""Claims on the optimum under a joint chance constraint: programs, hulls, flips and levels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from holdfast.solvers import from_arrays
from holdfast.solvers import solve as solve_cmdp
from holdfast.solvers.chance import (
    ChanceProblem,
    evaluate_episode_flip,
    evaluate_policy,
    minimum_risk,
    solve,
    solve_by_flag_program,
    unroll,
)
from holdfast.solvers.cmdp.finite_horizon import solve_finite_horizon
from holdfast.theory import Eq, Le, Quantity
from holdfast.theory.chance import flag_program as theory
from holdfast.theory.chance import joint_chance

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import OutOfScope
from ...binding.values import ClaimError, Values
from ..families.problems import chance_problems, is_absorbing
from ..landmarks.problems import g3, g7, g8, late_choice
from ..oracles.history_hull import HistoryHull, value_at

_LARGEST = 12
"""States up to which a problem is solved by linear programs, which grow with the horizon too: more
would let one model of a user's take minutes, fewer leave out models that people do bring."""


def small(problem: ChanceProblem) -> None:
    """Raise OutOfScope unless linear programs over its layers stay small."""
    if problem.model.n_states > _LARGEST:
        raise OutOfScope(f"solves linear programs over all layers; up to {_LARGEST} states")


def level_share(draw: Draw, *_: object) -> Fraction:
    """Where the level lies between the least risk and that of the best value."""
    return draw.choice(tuple(Fraction(k, 8) for k in (4, 2, 6, 0, 7, 8)))


def _g7_without_memory() -> Iterator[Values]:
    """At the choice a policy without memory takes the risk with some probability q, which is worth
    q and risks p + (1 - p) q, linear in q and more than p unless q = 0."""
    problem = g7()
    table = [[[0, 2, 4, 7, 8]] * 2] * 3
    ends = [
        evaluate_policy(problem, table, {(2, n, 3): {6: q, 7: 1 - q} for n in (0, 1)})
        for q in (Fraction(0), Fraction(1, 2), Fraction(1))
    ]
    level = ends[0][1]
    assert level == Fraction(1, 10)
    assert ends[1][1] == (level + ends[2][1]) / 2 > level
    best = solve_by_flag_program(problem, level).value
    assert best is not None
    yield {V_markov: ends[0][0], theory.V_program: best}


V_markov = Quantity("V_markov", "optimal value of policies of time and state only")
M6 = NamedMutant(
    "M6",
    Eq(V_markov, theory.V_program),
    "policies of time and state do as well as those that remember a violation",
    _g7_without_memory,
)


def _certain(reward: int) -> ChanceProblem:
    """One state and action, never unsafe."""
    model = from_arrays([[[1]]], [[reward]], discount=1)
    return ChanceProblem(model, (), 1)


@claim(
    theory.flag_program,
    over=chance_problems(undiscounted=True, charged=True)
    .along(level_share)
    .with_landmarks(
        G3=lambda: (g3(), Fraction(1, 2)),
        G8=lambda: (g8(3), Fraction(1, 2)),
        G7=lambda: (g7(), Fraction(0)),
    ),
    mutants=(M6,),
)
def flag_program(problem: ChanceProblem, share: Fraction) -> Iterator[Values]:
    small(problem)
    hull = HistoryHull(problem).whole()
    level = hull[0][0] + share * (hull[-1][0] - hull[0][0])
    if problem.charge == 0 and level >= 1:
        raise OutOfScope("every policy meets an unsafe state; a level is below 1")
    best, again = solve(problem, level), solve_by_flag_program(problem, level)
    if best.value is None or again.value is None or best.safer is None or best.bolder is None:
        raise ClaimError(f"no policy of risk {level}, which the hull attains")
    assert best.policy is not None
    top = value_at(hull, level)
    assert top is not None
    flip = evaluate_episode_flip(
        problem, best.safer.choices, best.bolder.choices, best.flip_probability
    )
    single = evaluate_policy(problem, best.policy.choices, best.mixed)
    yield {
        theory.V_program: again.value,
        theory.V_chord: best.value,
        theory.V_hull: top,
        theory.V_flip: flip[0],
        theory.risk_flip: flip[1],
        theory.V_cell: single[0],
        theory.risk_cell: single[1],
        joint_chance.alpha: level,
        joint_chance.n_cells: solve_cmdp(unroll(problem, level)).n_randomisations,
    }


@claim(
    theory.absorbing_flag,
    over=chance_problems(absorbing=True, safe_start=True, undiscounted=True)
    .along(level_share)
    .with_landmarks(G8=lambda: (g8(3), Fraction(1, 2)))
    .with_controls(
        absorbing=chance_problems(safe_start=True).along(level_share),
        safe_start=chance_problems(absorbing=True).along(level_share),
    ),
)
def absorbing_flag(problem: ChanceProblem, share: Fraction) -> Iterator[Values]:
    """Without flag: a finite-horizon program over (time, state) that charges arrivals from safe
    states, at cost discount 1."""
    small(problem)
    least = minimum_risk(problem).risk
    level = least + share * (1 - least) * Fraction(9, 10)
    if level >= 1:
        raise OutOfScope("every policy meets an unsafe state; a level is below 1")
    model = problem.model
    first = [
        sum((p for t, p in model.transition_row(k) if t in problem.unsafe), Fraction(0))
        if s not in problem.unsafe
        else Fraction(0)
        for k, s in enumerate(model.choice_states.tolist())
    ]
    nothing = [Fraction(0)] * model.n_states
    plain = solve_finite_horizon(
        model.with_costs([first], [level]), Fraction(1), problem.horizon, nothing, nothing
    )
    best = solve(problem, level)
    if best.value is None:
        raise ClaimError(f"no policy of risk {level}, which is at least the least risk {least}")
    if plain.value is None and _assumptions_hold(problem):
        raise ClaimError(f"no policy without flag has the risk {level}, but one with a flag has")
    if plain.value is None:
        raise OutOfScope("no policy without flag meets the level")
    yield {theory.V_plain: plain.value, theory.V_joint: best.value}


def _assumptions_hold(problem: ChanceProblem) -> bool:
    """Whether unsafe states are never left, and the start is safe."""
    start = problem.model.initial.tolist()
    return is_absorbing(problem) and not any(start[s] for s in problem.unsafe)


V_less = Quantity("V_less", "optimal value, joint chance alpha/(T - 1)")


def _boole_gap() -> Iterator[Values]:
    """G8 with T = 10, alpha = 1/10: joint 1/10, Boole 1/100, and joint at alpha/9 1/90."""
    values = _levels(g8(), Fraction(1, 10))
    less = solve(g8(), Fraction(1, 90)).value
    assert less is not None
    yield {V_less: less, theory.V_boole: values[theory.V_boole]}


M4 = NamedMutant("M4", Eq(theory.V_boole, theory.V_joint), "Boole's sum costs nothing")
M5 = NamedMutant(
    "M5", Le(V_less, theory.V_boole), "a joint chance of alpha/(T - 1) is enough", _boole_gap
)


def _levels(problem: ChanceProblem, level: Fraction) -> dict[Quantity, Fraction]:
    settings = {
        theory.V_scaled: (Fraction(0), level / problem.horizon),
        theory.V_boole: (Fraction(1), level),
        theory.V_between: (Fraction(1, 2), level),
        theory.V_joint: (Fraction(0), level),
    }
    values: dict[Quantity, Fraction] = {}
    for quantity, (charge, bound) in settings.items():
        value = solve(replace(problem, charge=charge), bound).value
        if value is None:
            raise ClaimError(f"no policy at level {bound}, charge {charge}, nor of the least risk")
        values[quantity] = value
    return values


def small_share(draw: Draw, *_: object) -> Fraction:
    """Where the level lies between T times the least joint risk and 1."""
    return draw.choice(tuple(Fraction(k, 12) for k in (1, 2, 4, 6, 9, 0)))


@claim(
    theory.levels,
    over=chance_problems(once=True, safe_start=True, undiscounted=True, horizon=(2, 4))
    .along(small_share)
    .with_landmarks(
        G8=lambda: (g8(), Fraction(1, 10)),
        once=lambda: (ChanceProblem(late_choice(3), (3,), 3), Fraction(1, 3)),
        gain=lambda: (_certain(1), Fraction(1, 2)),
        loss=lambda: (_certain(-1), Fraction(1, 2)),
    ),
    mutants=(M4, M5),
)
def levels(problem: ChanceProblem, share: Fraction) -> Iterator[Values]:
    least = problem.horizon * minimum_risk(problem).risk
    if least >= 1:
        raise OutOfScope("T times the least joint risk is at least 1")
    yield _levels(problem, least + share * (1 - least))
