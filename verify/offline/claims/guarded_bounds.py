"""Claims on what logged data certify; the case is (model, truth, policy, what is known)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers import CMDP, Policy, Vector, evaluate, occupancy_of, policy_return
from holdfast.solvers.cmdp.model_error import l1_errors
from holdfast.solvers.offline.robust import backed_up
from holdfast.theory import Le
from holdfast.theory.cmdp.foundations import gamma
from holdfast.theory.offline import guarded_bounds as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case
from ...binding.values import Values
from ...cmdp.families import cmdps
from ...cmdp.families.cmdps import neighbour, policy
from ..landmarks import guarded as landmarks

_HALF = Fraction(1, 2)
Known = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]
"""Of each choice: how far below the true q it is in the model, and the bound on the variation."""


def _known(draw: Draw, model: CMDP, truth: CMDP, *_: object) -> Known:
    errors = l1_errors(model, truth)
    bounds = tuple(draw.choice((e / 2, min(e, Fraction(1)), Fraction(1))) for e in errors)
    return tuple(Fraction(draw.integer(0, 2), 4) for _ in errors), bounds


def _above(draw: Draw, model: CMDP, truth: CMDP, *_: object) -> Known:
    lowered, bounds = _known(draw, model, truth)
    return tuple(-Fraction(draw.integer(1, 4)) for _ in lowered), bounds


def _leaking(factor: Fraction = Fraction(1), discount: Fraction = Fraction(9, 10)) -> Case:
    """The model believes to stay, and the truth leaks; the bound is so much of the variation."""
    truth, model, acting, _ = landmarks.leak(discount)
    bounds = tuple(factor * error / 2 for error in l1_errors(model, truth))
    return model, truth, acting, ((Fraction(0),) * len(bounds), bounds)


def _half_doubted(discount: Fraction) -> Case:
    return _leaking(_HALF, discount=discount)


_PAIRS = cmdps(constraints=(0, 0)).along(neighbour, policy)


@claim(
    theory.lower_bound,
    over=_PAIRS.along(_known)
    .with_landmarks(leak=_leaking, patient=lambda: _leaking(discount=Fraction(99, 100)))
    .with_controls(
        below=_PAIRS.along(_above),
        errors=landmarks.by_discount("leaks doubted too little", _half_doubted),
    ),
    mutants=(
        NamedMutant(
            "OG-W-half",
            Le(theory.V_low - gamma * theory.width * theory.weighted / 2, theory.V_true),
            "half of the error term",
        ),
    ),
)  # fmt: skip
def lower_bound(model: CMDP, truth: CMDP, acting: Policy, known: Known) -> Iterator[Values]:
    lowered, bounds = known
    values = evaluate(truth, acting).fractions()
    visits = occupancy_of(model, acting).fractions()
    pessimistic = Vector.of(
        r - less for r, less in zip(model.reward_vector().fractions(), lowered, strict=True)
    )
    yield {
        gamma: model.discount,
        theory.V_true: policy_return(truth, acting),
        theory.V_low: policy_return(model, acting, pessimistic),
        theory.width: max(values) - min(values),
        theory.weighted: sum((x * u for x, u in zip(visits, bounds, strict=True)), Fraction(0)),
    }


def _some_values(draw: Draw, model: CMDP, *_: object) -> tuple[int, ...]:
    """Of each state, in fifths."""
    return tuple(draw.integer(-5, 25) for _ in range(model.n_states))


@claim(
    theory.robust,
    over=_PAIRS.along(_known, _some_values)
    .with_landmarks(
        adversary=landmarks.adversary, shifted=lambda: landmarks.adversary(5),
        debt=landmarks.debt,
    )
    .with_controls(
        below=landmarks.by_discount("rewards said to be higher", landmarks.overpaid),
        errors=landmarks.by_discount("leaks not suspected", landmarks.unsuspected),
    ),
    mutants=(
        NamedMutant("OG-R-once", Le(theory.claimed - theory.excess, theory.V_true), "e once"),
    ),
)  # fmt: skip
def robust(
    model: CMDP, truth: CMDP, acting: Policy, known: Known, values: tuple[int, ...]
) -> Iterator[Values]:
    lowered, bounds = known
    rewards = model.reward_vector().fractions()
    low = Vector.of(r - less for r, less in zip(rewards, lowered, strict=True))
    backed = backed_up(model, acting, low, bounds, values, 5, None)
    worst = max(Fraction(v, 5) - b for v, b in zip(values, backed, strict=True))
    yield {
        gamma: model.discount,
        theory.V_true: policy_return(truth, acting),
        theory.claimed: Fraction(model.initial_vector().dot(values), 5),
        theory.excess: max(worst, Fraction(0)),
    }
