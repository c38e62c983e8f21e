"""Claims on values in a learned model and in the true one; the case is (model, truth, policy)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from holdfast.solvers import CMDP, Policy, evaluate, occupancy_of, policy_return, value_of
from holdfast.solvers.cmdp.model_error import drifts, l1_errors, penalised_optimum
from holdfast.theory import Le
from holdfast.theory.cmdp import foundations
from holdfast.theory.cmdp import model_based as mb

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case, Family
from ...binding.values import Values
from .. import landmarks
from ..families import cmdps
from ..families.cmdps import neighbour, policy

_ANY = cmdps(constraints=(0, 0)).along(neighbour, policy)
_BOUNDED = cmdps(constraints=(0, 0), bounded_reward=True).along(neighbour, policy)


def _along(model: CMDP, acting: Policy, amounts: Sequence[Fraction]) -> Fraction:
    rho = occupancy_of(model, acting).fractions()
    return sum((x * u for x, u in zip(rho, amounts, strict=True) if x), Fraction(0))


@claim(mb.simulation_lemma, over=_ANY)
def simulation_lemma(model: CMDP, truth: CMDP, acting: Policy) -> Iterator[Values]:
    values = evaluate(truth, acting)
    yield {
        foundations.gamma: model.discount,
        mb.V_model: policy_return(model, acting),
        mb.V_true: value_of(truth, values),
        mb.drift: _along(model, acting, drifts(model, truth, values)),
    }


def _leaks(
    model: Fraction, truth: Fraction, discount: Fraction = Fraction(9, 10), pay: int = 1
) -> Case:
    """One state that leaks, in model and truth with different probabilities."""
    left, right = (landmarks.leak(p, discount, pay) for p in (model, truth))
    return left, right, Policy.uniform(left)


_SMALL = Fraction(1, 10**6)
"""A difference of models at which the bounds are as good as attained, and still short to print."""


@claim(
    mb.simulation_bound,
    over=_BOUNDED.with_landmarks(
        leak=lambda: _leaks(_SMALL, Fraction(0)),
        patient=lambda: _leaks(_SMALL, Fraction(0), Fraction(99, 100), 3),
        opposite=lambda: _opposite(),
    ).with_controls(bounded_reward=_ANY),
)
def simulation_bound(model: CMDP, truth: CMDP, acting: Policy) -> Iterator[Values]:
    errors = l1_errors(model, truth)
    yield {
        foundations.gamma: model.discount,
        mb.V_learned: policy_return(model, acting),
        mb.V_pays: policy_return(truth, acting),
        mb.r_max: _largest_reward(model),
        mb.weighted_error: _along(model, acting, errors),
        mb.max_error: max(errors),
    }


def _largest_reward(model: CMDP) -> Fraction:
    return max(Fraction(0), *model.reward_vector().fractions())


def generous(draw: Draw, *_: object) -> Fraction:
    """How many times the total variation the error bound is."""
    return draw.choice((Fraction(1), Fraction(3, 2)))


def stingy(*_: object) -> Fraction:
    """An error bound of half the total variation, which is none."""
    return Fraction(1, 2)


def _unsuspected_leaks() -> Family:
    """A true leak that the model does not have, with half the error bound it needs."""

    def base(draw: Draw) -> CMDP:
        return landmarks.leak(Fraction(0), Fraction(draw.integer(5, 9), 10))

    def truth(draw: Draw, model: CMDP) -> CMDP:
        return landmarks.leak(Fraction(1, draw.integer(10, 99)), model.discount)

    return Family("unsuspected leaks", base, extras=(truth, policy, stingy))


def _distrusted_too_little() -> Family:
    """The sharp choice with half the error bound it needs."""

    def base(draw: Draw) -> CMDP:
        return landmarks.leaky_choice(Fraction(1, draw.integer(100, 999)), stingy())[0]

    def truth(_: Draw, model: CMDP) -> CMDP:
        """The same without the leak."""
        return landmarks.leaky_choice(model.transition_row(4)[1][1], stingy())[1]

    return Family("choices distrusted too little", base, extras=(truth, _distrusted, stingy))


def _distrusted(_: Draw | None, model: CMDP, *__: object) -> Policy:
    """The comparator takes the action that the model distrusts."""
    return Policy.deterministic(model, [1, *[0] * (model.n_states - 1)])


def _sharp_choice() -> Case:
    """See `landmarks.leaky_choice`."""
    model, truth = landmarks.leaky_choice(_SMALL)
    return model, truth, _distrusted(None, model), Fraction(1)


def _opposite() -> Case:
    """See `landmarks.opposite_beliefs`, under the action they disagree about."""
    model, truth = landmarks.opposite_beliefs()
    return model, truth, _distrusted(None, model)


def _error_bound(model: CMDP, truth: CMDP, factor: Fraction) -> list[Fraction]:
    return [factor * error / 2 for error in l1_errors(model, truth)]


M26 = NamedMutant(
    "M26",
    Le(
        mb.V_learned - foundations.gamma * mb.r_max / (1 - foundations.gamma) * mb.penalty / 2,
        mb.V_pays,
    ),
    "half the penalty is pessimistic enough",
)


def g17() -> Case:
    """gamma = 9/10, the truth leaks 1/10, the model not: 10 - 9/2 = 11/2 > 100/19."""
    return (*_leaks(Fraction(0), Fraction(1, 10)), Fraction(1))


@claim(
    mb.pessimism,
    over=_BOUNDED.along(generous)
    .with_landmarks(
        G17=g17,
        leak=lambda: (*_leaks(Fraction(0), _SMALL), Fraction(1)),
        rich=lambda: (*_leaks(Fraction(0), _SMALL, pay=3), Fraction(1)),
    )
    .with_controls(error_bound=_unsuspected_leaks(), bounded_reward=_ANY.along(generous)),
    mutants=(M26,),
    survivors={
        Le(mb.V_learned - foundations.gamma * mb.r_max / (1 - foundations.gamma), mb.V_pays): (
            "true: both values begin with the same reward, so they differ by at most "
            "gamma r_max/(1 - gamma)"
        )
    },
)
def pessimism(model: CMDP, truth: CMDP, acting: Policy, factor: Fraction) -> Iterator[Values]:
    yield {
        foundations.gamma: model.discount,
        mb.r_max: _largest_reward(model),
        mb.V_learned: policy_return(model, acting),
        mb.V_pays: policy_return(truth, acting),
        mb.penalty: _along(model, acting, _error_bound(model, truth, factor)),
    }


@claim(
    mb.pessimistic_optimality,
    over=_BOUNDED.along(generous)
    .with_landmarks(choice=_sharp_choice, opposite=lambda: (*_opposite(), Fraction(1)))
    .with_controls(error_bound=_distrusted_too_little()),
)
def pessimistic_optimality(
    model: CMDP, truth: CMDP, acting: Policy, factor: Fraction
) -> Iterator[Values]:
    bound = _error_bound(model, truth, factor)
    rate = model.discount * _largest_reward(model) / (1 - model.discount)
    output = penalised_optimum(model, [rate * u for u in bound])
    yield {
        foundations.gamma: model.discount,
        mb.r_max: _largest_reward(model),
        mb.V_output: policy_return(truth, output),
        mb.V_pays: policy_return(truth, acting),
        mb.penalty: _along(model, acting, bound),
    }
