"""Claims on conditioned policies: exact returns against bounds, on processes and on lattices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial

import flint
from sympy import Abs, Expr, Rational, sqrt

from holdfast.solvers.target_returns.returns import ReturnProcess, return_conditioned, values
from holdfast.solvers.target_returns.returns.conditioning import divergence_terms
from holdfast.solvers.target_returns.returns.density import RewardLattice, densities
from holdfast.theory import Domain, Eq, Le, Quantity, Relation
from holdfast.theory.target_returns import return_conditioning as theory

from ...binding.balls import to_arb
from ...binding.claims import NamedMutant, claim
from ...binding.draws import philox
from ...binding.values import Ball, Mean, Value, Values
from ...engine import expressions
from ..families.returns import (
    Blurred,
    FittedHead,
    OneDecision,
    Target,
    blurred,
    heads,
    independent_heads,
    lattice_target,
    lattices,
    less_noise,
    noise,
    one_decisions,
    processes,
    target,
)
from ..landmarks.returns import (
    chain,
    edge_of_ball,
    flat,
    forked,
    idle,
    lattice_chain,
    luck,
    lucky_state,
    off_the_actions,
    rare,
    sticky,
    stray,
    three_steps,
)

_NOISY = processes().along(target, noise)
_CONTROLS = {
    "bounded": processes(largest=3).along(target, noise),
    "near_deterministic": processes().along(target, less_noise),
}
_LANDMARKS = {
    "luck": luck,
    "chain": chain,
    "short chain": partial(chain, 8),
}
ALIGNED = _NOISY.with_landmarks(**_LANDMARKS).with_controls(**_CONTROLS)
"""Processes with a target and the chance of unlikely outcomes."""


def _aligned(process: ReturnProcess, asked: Target, epsilon: Fraction) -> Iterator[Values]:
    policy = return_conditioned(process, asked)
    for wanted, attained in zip(asked, policy.expected_return, strict=True):
        yield {
            theory.J: attained,
            theory.z: wanted,
            theory.epsilon: epsilon,
            theory.H: process.horizon,
            theory.alpha: policy.coverage,
        }


_NEARLY = Rational(9, 10)
_SHARPER = "true: implied by return-conditioning/sharper-alignment"
_GAP = Abs(theory.J - theory.z)
_LOSS = theory.epsilon * theory.H**2


@claim(
    theory.sharper_alignment,
    over=ALIGNED,
    mutants=(
        NamedMutant("one-H", Le(_GAP, theory.epsilon * theory.H / theory.alpha), "H for H^2"),
    ),
)
def sharper_alignment(process: ReturnProcess, asked: Target, noise: Fraction) -> Iterator[Values]:
    yield from _aligned(process, asked, noise)


def _wrong(name: str, right: object, why: str) -> NamedMutant:
    return NamedMutant(name, Le(_GAP, right), why)


@claim(
    theory.two_sided_alignment,
    over=ALIGNED,
    survivors=dict.fromkeys(
        (
            Le(_GAP, theory.epsilon * theory.H**2 * (_NEARLY + 1 / theory.alpha)),
            Le(_GAP, theory.epsilon * theory.H**2 / theory.alpha),
        ),
        _SHARPER,
    ),
    mutants=(
        _wrong("no-alpha", _LOSS, "rare targets cost no more than others"),
        _wrong("root-alpha", _LOSS * (1 + 1 / sqrt(theory.alpha)), "they cost the root"),
        _wrong("half", _LOSS * (1 + 1 / theory.alpha) / 2, "half the bound"),
        _wrong("squared-noise", theory.epsilon * _LOSS * (1 + 1 / theory.alpha), "epsilon^2"),
        _wrong("one-H", theory.epsilon * theory.H * (1 + 1 / theory.alpha), "H for H^2"),
    ),
)
def two_sided_alignment(process: ReturnProcess, asked: Target, noise: Fraction) -> Iterator[Values]:
    yield from _aligned(process, asked, noise)


_SHORT = theory.z - theory.J


@claim(
    theory.alignment,
    over=ALIGNED,
    survivors=dict.fromkeys(
        (
            Le(_SHORT, theory.epsilon * theory.H**2 * (2 * _NEARLY + 1 / theory.alpha)),
            Le(_SHORT, theory.epsilon * theory.H**2 / theory.alpha),
        ),
        _SHARPER,
    ),
)
def alignment(process: ReturnProcess, asked: Target, noise: Fraction) -> Iterator[Values]:
    yield from _aligned(process, asked, noise)


@claim(
    theory.exact_alignment,
    over=processes(noises=(Fraction(0),)).with_controls(deterministic=processes()).along(target),
)
def exact_alignment(process: ReturnProcess, asked: Target) -> Iterator[Values]:
    attained = return_conditioned(process, asked).expected_return
    for wanted, found in zip(asked, attained, strict=True):
        yield {theory.J: found, theory.z: wanted}


_TENTH, _NONE = Fraction(1, 10), Fraction(0)
_POINTS = {
    "edge of a ball": edge_of_ball,
    "likelier edge": partial(edge_of_ball, _TENTH),
    "stray": stray,
    "lucky state": lucky_state,
    "off the actions": off_the_actions,
    "chain": lattice_chain,
    "flat": partial(flat, 1, _NONE),
    "flat with noise": partial(flat, 0, _TENTH),
    "idle": partial(idle, 1, _NONE),
    "idle, astray": partial(idle, 0, _TENTH),
}
_EXACT = ("stray", "flat with noise", "idle, astray")
LATTICES = lattices().along(lattice_target).with_landmarks(**_POINTS)


_SHARP = expressions.exact(theory.density_sharper.relation.right)


def _dense(lattice: RewardLattice, asked: Target) -> dict[Quantity, Value]:
    process = lattice.process
    policy = return_conditioned(process, asked)
    found = densities(lattice, policy.target)
    known = {
        theory.J_beta: policy.expected_return[0],
        theory.R: asked[0],
        theory.H: process.horizon,
        theory.eps_r: lattice.reward_noise,
        theory.eps_s: lattice.state_noise,
        theory.delta: lattice.delta,
        theory.C: found.largest,
        theory.C_bar: max(found.largest, Fraction(1)),
        theory.c: found.shifted,
        theory.eta: found.eta,
    }
    return known | {theory.B: _SHARP({one.name: Fraction(x) for one, x in known.items()})}


def _asked(wanted: frozenset[Quantity], known: Mapping[Quantity, Value]) -> Values:
    return {quantity: known[quantity] for quantity in wanted}


_MISSED = Abs(theory.J_beta - theory.R)
_SHIFT = theory.H * theory.c
_STEP = 2 * theory.H * theory.C * theory.eps + _SHIFT
_LAST = 2 * theory.C * theory.delta + theory.eps_r * (theory.C + 1)


def _closer(step: Expr, last: Expr = _LAST) -> Relation:
    """The sharper form with another loss of a step before the last, or of the last."""
    return Le(_MISSED, ((theory.H - 1) * step + last) / theory.eta)


@claim(
    theory.density_sharper,
    over=LATTICES,
    survivors={
        **dict.fromkeys(
            (
                _closer(_NEARLY * _STEP),
                _closer(_STEP - _SHIFT + _NEARLY * _SHIFT),
                _closer(_STEP - _SHIFT + theory.c),
                _closer(_NEARLY * (_STEP - _SHIFT) + _SHIFT),
                *(
                    _closer(2 * theory.C * theory.H * eps + _SHIFT)
                    for eps in (
                        theory.eps_s,
                        _NEARLY * theory.eps_r + theory.eps_s,
                        theory.eps_r + _NEARLY * theory.eps_s,
                    )
                ),
            ),
            "not known to be false: a step before the last costs at most a quarter of what it may "
            "on the cases that are known",
        ),
        _closer(
            _STEP, 2 * theory.C * theory.delta + theory.eps_r * (_NEARLY * theory.C + 1)
        ): "not known to be false: at H = 1 half of this term is attained",
    },
)
def density_sharper(lattice: RewardLattice, asked: Target) -> Iterator[Values]:
    yield _asked(theory.density_sharper.quantities, _dense(lattice, asked))


_PRINTED = theory.density_bias.parts[1].right


@claim(
    theory.density_bias,
    over=LATTICES,
    mutants=(
        NamedMutant("no-eta", Le(_MISSED, _PRINTED * theory.eta), "no 1/eta"),
        NamedMutant("over-64", Le(_MISSED, _PRINTED / 64), "1/64 of it"),
    ),
)
def density_bias(lattice: RewardLattice, asked: Target) -> Iterator[Values]:
    yield _asked(theory.density_bias.quantities, _dense(lattice, asked))


@claim(
    theory.density_exact_rewards,
    over=lattices(radius=0)
    .along(lattice_target)
    .with_landmarks(**{name: _POINTS[name] for name in _EXACT}),
)
def density_exact_rewards(lattice: RewardLattice, asked: Target) -> Iterator[Values]:
    yield _asked(theory.density_exact_rewards.quantities, _dense(lattice, asked))


@claim(
    theory.density_smooth,
    over=LATTICES,
    survivors={
        Le(
            theory.C_bar, _NEARLY * theory.K + 1
        ): "true for these exponents: f falls by K times the "
        "mean distance at most, so that C is at most 1 + 4/5 K"
    },
)
def density_smooth(lattice: RewardLattice, asked: Target) -> Iterator[Values]:
    """Once with exponent 1, once with 1/2, whose constant is a root."""
    known = _dense(lattice, asked)
    steep, squared = densities(lattice, lattice.process.in_units(asked)).slopes
    root: Value = Ball(lambda: to_arb(squared).sqrt()) if squared else Fraction(0)
    for slope, exponent in ((steep, Fraction(1)), (root, Fraction(1, 2))):
        known |= {theory.K: slope, theory.omega: exponent}
        yield _asked(theory.density_smooth.quantities, known)


def mean_divergence(terms: Mapping[Fraction, Fraction], steps: Fraction | int) -> Value:
    """sum weight log(ratio) over the steps; zero exactly where there is no ratio."""
    if not terms:
        return Fraction(0)
    return Ball(
        lambda: (
            sum((to_arb(w) * to_arb(r).log() for r, w in terms.items()), flint.arb(0))
            / to_arb(steps)
        )
    )


def _modelled(process: ReturnProcess, asked: Target, model: Blurred) -> Iterator[Values]:
    policy = return_conditioned(process, asked)
    acting, start = model.of(policy), (0, process.start, policy.target)
    terms = divergence_terms(process, policy, acting, policy.target)
    returns = values(process, acting, policy.target)[start]
    for exact, modelled in zip(policy.expected_return, returns, strict=True):
        yield {
            theory.J_beta: exact,
            theory.J_model: modelled,
            theory.H: process.horizon,
            theory.kl: mean_divergence(terms, process.horizon),
        }


MODELLED = (
    processes(horizon=(1, 3))
    .with_controls(bounded=processes(horizon=(1, 3), largest=9))
    .along(target, blurred)
    .with_landmarks(**{"sticky": sticky, "sticky, one step": partial(sticky, 1)})
)
_APART = Abs(theory.J_model - theory.J_beta)


@claim(
    theory.model_bias_sharper,
    over=MODELLED,
    survivors={
        Le(_APART, theory.H**2 * sqrt(theory.kl / 2)): "true: return-conditioning/model-bias"
    },
)
def model_bias_sharper(process: ReturnProcess, asked: Target, model: Blurred) -> Iterator[Values]:
    yield from _modelled(process, asked, model)


@claim(
    theory.model_bias,
    over=MODELLED,
    mutants=(
        NamedMutant("one-H", Le(_APART, theory.H * sqrt(theory.kl / 2)), "H for H^2"),
        NamedMutant("half", Le(_APART, theory.H**2 * sqrt(theory.kl / 2) / 2), "half the bound"),
        NamedMutant("no-root", Le(_APART, theory.H**2 * theory.kl / 2), "no root"),
    ),
)
def model_bias(process: ReturnProcess, asked: Target, model: Blurred) -> Iterator[Values]:
    yield from _modelled(process, asked, model)


def _decision_target(_: object, decision: OneDecision) -> Target:
    return (Fraction(len(decision.shares) - 1, 2),)


@claim(
    theory.model_bias_pooled,
    over=one_decisions().along(_decision_target).with_landmarks(rare=rare),
    witness="rare",
    shows=lambda decision, asked: {theory.share_R: decision.shares[int(2 * asked[0])]},
)
def model_bias_pooled(decision: OneDecision, asked: Target) -> Iterator[Values]:
    process, pooled = decision.process(), dict[Fraction, Fraction]()
    for action, share in enumerate(decision.shares):
        policy = return_conditioned(process, (Fraction(action, 2),))
        law = decision.models[action]
        terms = divergence_terms(process, policy, lambda *_, law=law: law, policy.target)
        for ratio, weight in terms.items():
            pooled[ratio] = pooled.get(ratio, Fraction(0)) + share * weight
    law = decision.models[int(2 * asked[0])]
    yield {
        theory.J_beta: asked[0],
        theory.J_model: sum((k * q / 2 for k, q in enumerate(law)), Fraction(0)),
        theory.H: 1,
        theory.kl_pooled: mean_divergence(pooled, 1),
    }


def _fitted(drawn: FittedHead) -> dict[Quantity, Value]:
    head, n = drawn.head, drawn.n
    third, fourth, second = head.moment(3), head.moment(4), head.moment(2)
    return {
        theory.H: head.horizon,
        theory.U: head.sensitivity,
        theory.I: head.information,
        theory.Sigma: head.score_variance,
        theory.n: n,
        theory.rest: 2 * head.slope * head.bend * third
        + head.bend**2 * (3 * (n - 1) * second**2 + fourth) / n,
    }


Sigma_step = Quantity("Sigma_step", "mean squared score of a step", Domain.NONNEGATIVE)
_SANDWICH = theory.H**4 * theory.U**2 * theory.Sigma / theory.I**2
_PER_STEP = _SANDWICH.xreplace({theory.Sigma: Sigma_step})
_FISHER = theory.H**4 * theory.U**2 / theory.I


def _per_step() -> Iterator[Values]:
    """Three independent steps: the squared score of a step is three times Sigma."""
    drawn = three_steps()
    known = _fitted(drawn) | {Sigma_step: drawn.head.step_variance}
    known[theory.n_var] = drawn.head.mean_square(drawn.n)
    yield {quantity: known[quantity] for quantity in _AS_STEPS.quantities}


_AS_STEPS = Eq(theory.n_var, _PER_STEP + theory.rest / theory.n)


@claim(
    theory.fluctuation,
    over=heads().with_landmarks(**{"three steps": lambda: (three_steps(),)}),
    mutants=(
        NamedMutant(
            "per-step", _AS_STEPS,
            "Sigma of single steps, as if they were the independent units", _per_step,
        ),
        NamedMutant(
            "Fisher", Eq(theory.n_var, _FISHER + theory.rest / theory.n),
            "the inverse Hessian alone, as if the model held the law of the data",
        ),
    ),
)  # fmt: skip
def fluctuation(drawn: FittedHead) -> Iterator[Values]:
    yield {**_fitted(drawn), theory.n_var: drawn.head.mean_square(drawn.n)}


_RATIO, _HALF, _MORE = theory.n_var / _SANDWICH, Rational(1, 2), Rational(11, 10)
_DATA_SETS = 60_000
"""Fits for one sampled variance.  Fewer widen its interval beyond the half that is left for it."""


def _sampled(drawn: FittedHead) -> Mean:
    """The variance over drawn data sets; no error exceeds H times the range of rewards."""
    head, generator = drawn.head, philox("fits", drawn.seed)
    found = head.sample(generator, drawn.n, _DATA_SETS)
    largest = drawn.n * (head.horizon * (max(head.rewards) - min(head.rewards))) ** 2
    total = sum((often * error for error, often in found), Fraction(0))
    squares = sum((often * error**2 for error, often in found), Fraction(0))
    return Mean(_DATA_SETS, total, squares, Fraction(0), Fraction(largest))


@claim(
    theory.fluctuation_sampled,
    over=independent_heads(),
    survivors=dict.fromkeys(
        (
            Le(_MORE * Abs(_RATIO - 1), _HALF),
            Le(Abs(_RATIO - _NEARLY), _HALF),
            Le(Abs(_RATIO - _MORE), _HALF),
            Le(Abs(_NEARLY * _RATIO - 1), _HALF),
            Le(Abs(_MORE * _RATIO - 1), _HALF),
            Le(Abs(_RATIO - 1), _NEARLY / 2),
        ),
        "true: the ratio is 1 where J is linear in p, and half is room for samples",
    ),
    mutants=(
        NamedMutant(
            "Fisher",
            Le(Abs(theory.n_var / _FISHER - 1), Rational(1, 2)),
            "the inverse Hessian alone",
        ),
    ),
)
def fluctuation_sampled(drawn: FittedHead) -> Iterator[Values]:
    known = {**_fitted(drawn), theory.n_var: _sampled(drawn)}
    yield _asked(theory.fluctuation_sampled.quantities, known)


_LIKELY = Fraction(7, 10)


@claim(
    theory.decomposition,
    over=lattices()
    .along(lattice_target, blurred, blurred)
    .with_landmarks(
        **{
            "edge of a ball": edge_of_ball,
            "wrong model": partial(forked, 1, _LIKELY, _LIKELY),
            "wrong model, four steps": partial(forked, 4, _LIKELY, _LIKELY),
            "nearly right model": partial(forked, 1, _TENTH, _TENTH),
            "unlucky data": partial(forked, 1, _NONE, _LIKELY),
        }
    ),
    survivors={
        Le(
            Abs(theory.J_hat - theory.R),
            theory.B + theory.H**2 * sqrt(_NEARLY * theory.kl / 2) + theory.moved,
        ): "not known to be false: 0.902 of the middle term is attained where B = 0",
    },
)
def decomposition(
    lattice: RewardLattice, asked: Target, best: Blurred, fitted: Blurred
) -> Iterator[Values]:
    """`best` stands for the best model, `fitted` for one that data have led to."""
    known, process = _dense(lattice, asked), lattice.process
    modelled = next(_modelled(process, asked, best))
    found = next(_modelled(process, asked, fitted))[theory.J_model]
    yield {
        theory.J_hat: found,
        theory.R: asked[0],
        theory.H: process.horizon,
        theory.B: known[theory.B],
        theory.kl: modelled[theory.kl],
        theory.moved: abs(found - modelled[theory.J_model]),
    }
