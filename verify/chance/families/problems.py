"""Families of problems with a joint chance constraint: a small model, unsafe states, a horizon.

The window starts at time 1, so unsafe starts are allowed and not charged.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

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
        room = 1 if exposed else model.n_states - int(safe_start or once)
        unsafe = draw.shuffle(range(model.n_states))[-draw.integer(min(1, room), min(2, room)) :]
        unsafe = unsafe if room else []
        if absorbing:
            model = sent(model, {s: s for s in unsafe})
        if once and unsafe:
            end = next(s for s in range(model.n_states) if s not in unsafe)
            model = sent(model, dict.fromkeys([*unsafe, end], end))
            if exposed:
                model = model.with_initial(_safe_law(model, [*unsafe, end]))
        if safe_start:
            model = model.with_initial(_safe_law(model, unsafe))
        if undiscounted and draw.integer(0, 1):
            model = model.with_discount(1)
        if lasting and not model.discount:
            model = model.with_discount(Fraction(3, 4))
        problem = ChanceProblem(model, tuple(unsafe), draw.integer(*horizon))
        return _charged(draw, problem) if charged else problem

    def adopt(model: object) -> ChanceProblem:
        return _adopted(model, absorbing, safe_start)

    words = ", unsafe states absorbing" if absorbing else ""
    return Family(f"problems with {horizon[0]} to {horizon[1]} decisions{words}", base, adopt=adopt)


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


def _adopted(model: object, absorbing: bool, safe_start: bool) -> ChanceProblem:
    if isinstance(model, CMDP):
        labels = dict(model.labels)
        if "unsafe" not in labels:
            raise OutOfScope('needs states labelled "unsafe"')
        model = ChanceProblem(model, labels["unsafe"], WORLD_HORIZON)
    if not isinstance(model, ChanceProblem):
        raise OutOfScope(f"speaks of joint chance constraints, not of {type(model).__name__}")
    if model.model.n_states > _LARGEST:
        raise OutOfScope(f"follows the law of {model.model.n_states} states; done up to {_LARGEST}")
    if absorbing and not is_absorbing(model):
        raise OutOfScope("needs unsafe states that are never left")
    if safe_start and any(model.model.initial.tolist()[s] for s in model.unsafe):
        raise OutOfScope("needs a start in safe states")
    return model


def acting(draw: Draw, problem: ChanceProblem, *_: object) -> Policy:
    """A stationary policy."""
    return policy(draw, problem.model)


def charge_pair(draw: Draw, *_: object) -> tuple[Fraction, Fraction]:
    """Two charges z <= y in [0, 1]."""
    low, high = sorted(draw.integer(0, 4) for _ in range(2))
    return Fraction(low, 4), Fraction(high, 4)
