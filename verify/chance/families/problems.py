"""Families of problems with a joint chance constraint: a small model, unsafe states, a horizon.

The window starts at time 1, so unsafe starts are allowed and not charged.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

from holdfast.solvers import CMDP, Policy
from holdfast.solvers.chance.horizon.problem import ChanceProblem
from holdfast.solvers.models.rows import transition_arrays

from ...binding.draws import Draw
from ...binding.family import Family, OutOfScope
from ...cmdp.families.cmdps import policy, skeleton

WORLD_HORIZON = 5
"""Decisions on a model that a user brings, from its states labelled unsafe.  The work grows with
them, and with fewer an unsafe state may be out of reach."""
_LARGEST = 300
"""States up to which a policy is followed through a window, in fractions, whose digits grow with
every step: more would let one case take minutes."""


def chance_problems(
    *,
    absorbing: bool = False,
    once: bool = False,
    exposed: bool = False,
    safe_start: bool = False,
    undiscounted: bool = False,
    lasting: bool = False,
    charged: bool = False,
    horizon: tuple[int, int] = (1, 4),
) -> Family:
    """Up to four states and three actions, none to two unsafe states, one to four decisions.

    absorbing: unsafe states are never left; once: they lead to an end that is never left, where
    there is room for one; exposed: there is, and the start is neither there nor unsafe; safe_start:
    the initial law is on safe states; undiscounted: the discount may also be 1; lasting: it is not
    0; charged: any charge, and with or without reward after a violation.
    """

    def base(draw: Draw) -> ChanceProblem:
        model = skeleton(draw, 0, -2, least_states=3 if exposed else 1)
        unsafe = _drawn(draw, model, 1 if exposed else model.n_states - int(safe_start or once))
        if absorbing:
            model = sent(model, dict(zip(unsafe, unsafe, strict=True)))
        if once and unsafe:
            model = _ended(model, unsafe, exposed)
        if safe_start:
            model = model.with_initial(_safe_law(model, unsafe))
        model = _discounted(draw, model, undiscounted, lasting)
        problem = ChanceProblem(model, tuple(unsafe), draw.integer(*horizon))
        return _charged(draw, problem) if charged else problem

    adopt = partial(_adopted, absorbing=absorbing, safe_start=safe_start)
    words = ", unsafe states absorbing" if absorbing else ""
    return Family(f"problems with {horizon[0]} to {horizon[1]} decisions{words}", base, adopt=adopt)


def _drawn(draw: Draw, model: CMDP, room: int) -> list[int]:
    """One or two states, at most as many as there is room for."""
    shuffled = draw.shuffle(range(model.n_states))
    number = draw.integer(min(1, room), min(2, room))
    return shuffled[-number:] if room else []


def _ended(model: CMDP, unsafe: list[int], exposed: bool) -> CMDP:
    """The unsafe states lead to an end; where exposed, the start is neither there nor unsafe."""
    end = next(s for s in range(model.n_states) if s not in unsafe)
    model = sent(model, dict.fromkeys([*unsafe, end], end))
    return model.with_initial(_safe_law(model, [*unsafe, end])) if exposed else model


def _discounted(draw: Draw, model: CMDP, undiscounted: bool, lasting: bool) -> CMDP:
    if undiscounted and draw.integer(0, 1):
        model = model.with_discount(1)
    return model.with_discount(Fraction(3, 4)) if lasting and not model.discount else model


def _charged(draw: Draw, problem: ChanceProblem) -> ChanceProblem:
    charge = draw.choice((Fraction(0), Fraction(1, 2), Fraction(1)))
    return replace(problem, charge=charge, reward_after_violation=draw.integer(0, 2) > 0)


def sent(model: CMDP, targets: dict[int, int]) -> CMDP:
    """The model in which some states lead to a given one, whatever the action."""
    rows = [
        {targets[s]: 1} if s in targets else model.weighted_row(k)
        for k, s in enumerate(model.choice_states.tolist())
    ]
    return replace(model, **transition_arrays(rows))


def _safe_law(model: CMDP, unsafe: list[int]) -> list[int]:
    kept = [0 if s in unsafe else w for s, w in enumerate(model.initial.tolist())]
    return kept if any(kept) else [int(s not in unsafe) for s in range(model.n_states)]


def is_absorbing(problem: ChanceProblem) -> bool:
    """Whether no action leaves the unsafe states."""
    owner = problem.model.choice_states.tolist()
    return all(
        t in problem.unsafe
        for k, s in enumerate(owner)
        if s in problem.unsafe
        for t, _ in problem.model.transition_row(k)
    )


def _adopted(given: object, *, absorbing: bool, safe_start: bool) -> ChanceProblem:
    problem = _labelled(given) if isinstance(given, CMDP) else given
    if not isinstance(problem, ChanceProblem):
        raise OutOfScope(f"speaks of joint chance constraints, not of {type(given).__name__}")
    states = problem.model.n_states
    if states > _LARGEST:
        raise OutOfScope(f"follows the law of {states} states; done up to {_LARGEST}")
    if absorbing and not is_absorbing(problem):
        raise OutOfScope("needs unsafe states that are never left")
    if safe_start:
        _check_start(problem)
    return problem


def _check_start(problem: ChanceProblem) -> None:
    weights = problem.model.initial.tolist()
    if any(weights[s] for s in problem.unsafe):
        raise OutOfScope("needs a start in safe states")


def _labelled(model: CMDP) -> ChanceProblem:
    """The problem of the states labelled unsafe."""
    labels = dict(model.labels)
    if "unsafe" not in labels:
        raise OutOfScope('needs states labelled "unsafe"')
    return ChanceProblem(model, labels["unsafe"], WORLD_HORIZON)


def acting(draw: Draw, problem: ChanceProblem, *_: object) -> Policy:
    """A stationary policy."""
    return policy(draw, problem.model)


def charge_pair(draw: Draw, *_: object) -> tuple[Fraction, Fraction]:
    """Two charges z <= y in [0, 1]."""
    low, high = sorted(draw.integer(0, 4) for _ in range(2))
    return Fraction(low, 4), Fraction(high, 4)
