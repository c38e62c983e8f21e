"""Claims on conditioned policies: exact returns against bounds, on processes and on lattices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import Any, TypeAlias

import flint
from sympy import sqrt

from holdfast.solvers.target_returns.returns import (
    ReturnProcess,
    expected_return,
    return_conditioned,
    return_process,
)
from holdfast.solvers.target_returns.returns.conditioning import divergence_terms
from holdfast.solvers.target_returns.returns.density import RewardLattice, densities
from holdfast.solvers.target_returns.returns.fluctuation import BinomialHead
from holdfast.theory import Domain, Eq, Le, Quantity, Theorem
from holdfast.theory.target_returns import return_conditioning as theory

from ...binding.balls import to_arb
from ...binding.claims import NamedMutant, claim
from ...binding.family import Case
from ...binding.values import Ball, Value, Values
from ...engine import expressions
from ..families.returns import (
    HEADS,
    RARE_TARGETS,
    Blurred,
    Target,
    blurred,
    lattice_target,
    lattices,
    processes,
    target,
)
from ..landmarks.returns import (
    chain,
    edge_of_ball,
    flat,
    forked,
    idle,
    luck,
    off_the_actions,
    sticky,
    stray,
    three_steps,
)

Landmarks: TypeAlias = dict[str, Callable[[], Case]]
ALIGNED = (
    processes()
    .along(target, lambda _, process, *__: process.noise)
    .with_landmarks(luck=luck, chain=chain, **{"short chain": partial(chain, 8)})
    .with_controls(
        bounded=processes(largest=3).along(target, lambda _, process, *__: process.noise),
        near_deterministic=processes().along(target, lambda _, process, *__: process.noise / 16),
    )
)
"""Processes with a target and the chance of unlikely outcomes."""
_SHARP = theory.sharper_alignment.parts[0].right
_GAP = theory.sharper_alignment.parts[0].left


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


@claim(
    theory.sharper_alignment,
    over=ALIGNED,
    mutants=(
        NamedMutant("no-alpha", Le(_GAP, _SHARP * theory.alpha), "rare targets cost no more"),
        NamedMutant("root-alpha", Le(_GAP, _SHARP * sqrt(theory.alpha)), "they cost the root"),
        NamedMutant("half", Le(_GAP, _SHARP / 2), "half the bound"),
        NamedMutant("squared-noise", Le(_GAP, theory.epsilon * _SHARP), "epsilon^2"),
        NamedMutant(
            "one-H",
            Le(_GAP, theory.epsilon * theory.H * (1 / theory.alpha + 2)),
            "H for H^2, even with the constants of the printed bound",
            lambda: _aligned(*chain(), chain()[0].noise),
        ),
    ),
)
def sharper_alignment(process: ReturnProcess, asked: Target, noise: Fraction) -> Iterator[Values]:
    yield from _aligned(process, asked, noise)


@claim(
    theory.alignment,
    over=ALIGNED,
    survivors=dict.fromkeys(
        (
            "-J + z <= H**2*epsilon*(9/5 + 1/alpha_z)",
            "-J + z <= H**2*epsilon/alpha_z",
        ),
        "true: implied by return-conditioning/sharper-alignment",
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
_EXACT: Landmarks = {
    "stray": stray,
    "flat with noise": partial(flat, 0, _TENTH),
    "idle, astray": partial(idle, 0, _TENTH),
}
_POINTS: Landmarks = {
    **_EXACT,
    "edge of a ball": edge_of_ball,
    "likelier edge": partial(edge_of_ball, _TENTH),
    "off the actions": off_the_actions,
    "flat": partial(flat, 1, _NONE),
    "idle": partial(idle, 1, _NONE),
}
LATTICES = lattices().along(lattice_target).with_landmarks(**_POINTS)
WIDE_LATTICES = lattices(widest=1).along(lattice_target).with_landmarks(**_POINTS)
_ATTAINED = expressions.exact(theory.density_sharper.parts[0].right)


def _dense(lattice: RewardLattice, asked: Target) -> dict[Quantity, Value]:
    process, policy = lattice.process, return_conditioned(lattice.process, asked)
    found, steps = densities(lattice, policy.target), lattice.process.horizon
    stray = lattice.reward_noise + lattice.state_noise
    known = {
        theory.J_beta: policy.expected_return[0],
        theory.R: asked[0],
        theory.H: Fraction(process.horizon),
        theory.eps_r: lattice.reward_noise,
        theory.eps_s: lattice.state_noise,
        theory.delta: lattice.delta,
        theory.C: found.largest,
        theory.C_bar: max(found.largest, Fraction(1)),
        theory.c: found.shifted,
        theory.eta: found.eta,
        theory.step: steps * (2 * found.largest * stray + found.shifted),
    }
    return {**known, theory.B: _ATTAINED({one.name: x for one, x in known.items()})}


def _asked(theorem: Theorem, known: Mapping[Quantity, Value]) -> Values:
    return {quantity: known[quantity] for quantity in theorem.quantities}


@claim(
    theory.density_sharper,
    over=LATTICES,
    survivors={
        "Abs(J_beta - R) <= (2*C*delta + eps_r*(C + 1) + 9*step*(H - 1)/10)/eta": "not known to be "
        "false: steps before the last cost half of that on the cases that are known",
        "Abs(J_beta - R) <= (2*C*delta + eps_r*(9*C/10 + 1) + step*(H - 1))/eta": "not known to be "
        "false: at H = 1 half of this term is attained",
    },
)
def density_sharper(lattice: RewardLattice, asked: Target) -> Iterator[Values]:
    yield _asked(theory.density_sharper, _dense(lattice, asked))


_MISSED, _PRINTED = theory.density_bias.parts[0].left, theory.density_bias.parts[1].right


@claim(
    theory.density_bias,
    over=WIDE_LATTICES,
    mutants=(
        NamedMutant("no-eta", Le(_MISSED, _PRINTED * theory.eta), "rare targets cost no more"),
        NamedMutant("over-64", Le(_MISSED, _PRINTED / 64), "a 64th of the bound"),
    ),
)
def density_bias(lattice: RewardLattice, asked: Target) -> Iterator[Values]:
    yield _asked(theory.density_bias, _dense(lattice, asked))


@claim(
    theory.density_exact_rewards,
    over=lattices(radius=0).along(lattice_target).with_landmarks(**_EXACT),
)
def density_exact_rewards(lattice: RewardLattice, asked: Target) -> Iterator[Values]:
    yield _asked(theory.density_exact_rewards, _dense(lattice, asked))


@claim(
    theory.density_smooth,
    over=WIDE_LATTICES,
    survivors={
        "C_bar <= 9*K/10 + 1": "true for these exponents: f falls by K times the mean distance at "
        "most, so that C is at most 1 + 4/5 K"
    },
)
def density_smooth(lattice: RewardLattice, asked: Target) -> Iterator[Values]:
    """Once with exponent 1, once with 1/2, whose constant is a root."""
    known = _dense(lattice, asked)
    steep, squared = densities(lattice, lattice.process.in_units(asked)).slopes
    root: Value = Ball(lambda: to_arb(squared).sqrt()) if squared else Fraction(0)
    for slope, exponent in ((steep, Fraction(1)), (root, Fraction(1, 2))):
        yield _asked(theory.density_smooth, {**known, theory.K: slope, theory.omega: exponent})


def _mean_divergence(terms: Mapping[Fraction, Fraction], steps: int = 1) -> Value:
    """sum weight log(ratio) over the steps; zero exactly where there is no ratio."""
    if not terms:
        return Fraction(0)
    return Ball(
        lambda: sum((to_arb(w) * to_arb(r).log() for r, w in terms.items()), flint.arb(0)) / steps
    )


def _modelled(
    process: ReturnProcess, asked: Target, model: Blurred
) -> Iterator[dict[Quantity, Any]]:
    policy = return_conditioned(process, asked)
    acting = model.of(policy)
    terms = divergence_terms(process, policy, acting, policy.target)
    returns = expected_return(process, acting, policy.target)
    for exact, modelled in zip(policy.expected_return, returns, strict=True):
        yield {
            theory.J_beta: exact,
            theory.J_model: modelled,
            theory.H: process.horizon,
            theory.kl: _mean_divergence(terms, process.horizon),
        }


_STICKY: Landmarks = {"sticky": sticky, "sticky, one step": partial(sticky, 1)}
MODELLED = (
    processes(horizon=(1, 3))
    .with_controls(bounded=processes(horizon=(1, 3), largest=9))
    .along(target, blurred)
    .with_landmarks(**_STICKY)
)
_APART, _ROOT = theory.model_bias.parts[0].left, theory.model_bias.parts[0].right


@claim(
    theory.model_bias_sharper,
    over=MODELLED,
    survivors={Le(_APART, _ROOT): "true: return-conditioning/model-bias"},
)
def model_bias_sharper(process: ReturnProcess, asked: Target, model: Blurred) -> Iterator[Values]:
    yield from _modelled(process, asked, model)


@claim(
    theory.model_bias,
    over=MODELLED,
    mutants=(
        NamedMutant("one-H", Le(_APART, _ROOT / theory.H), "H for H^2"),
        NamedMutant("half", Le(_APART, _ROOT / 2), "half the bound"),
        NamedMutant("no-root", Le(_APART, theory.H**2 * theory.kl / 2), "no root"),
    ),
)
def model_bias(process: ReturnProcess, asked: Target, model: Blurred) -> Iterator[Values]:
    yield from _modelled(process, asked, model)


@claim(
    theory.model_bias_pooled,
    over=RARE_TARGETS.with_landmarks(rare=lambda: (Fraction(1, 100), Fraction(1, 100))),
    survivors={
        "Abs(J_beta - 1) <= sqrt(2)*H**2*sqrt(eps_pool)/2": "true here: the target is the return 1"
    },
    witness="rare",
    shows=lambda share, _: {theory.share_R: share},
)
def model_bias_pooled(share: Fraction, taken: Fraction) -> Iterator[Values]:
    """The model is exact at 0, so that the data's mean divergence is its share at 1."""
    rows = [[[(Fraction(1), [Fraction(k)], 0)] for k in (0, 1)]]
    process = return_process(rows, [[[1 - share, share]]])
    policy, law = return_conditioned(process, (1,)), (1 - taken, taken)
    terms = divergence_terms(process, policy, lambda *_: law, policy.target)
    yield {
        theory.J_beta: policy.expected_return[0],
        theory.J_model: expected_return(process, lambda *_: law, policy.target)[0],
        theory.H: 1,
        theory.kl_pooled: _mean_divergence({r: share * weight for r, weight in terms.items()}),
    }


Sigma_step = Quantity("Sigma_step", "mean squared score of a step", Domain.NONNEGATIVE)
_REST = theory.rest / theory.n
_PER_STEP = Eq(theory.n_var, theory.H**4 * theory.U**2 * Sigma_step / theory.I**2 + _REST)


def _fitted(head: BinomialHead, n: int) -> dict[Quantity, Value]:
    second, third, fourth = map(head.moment, (2, 3, 4))
    return {
        theory.H: head.horizon,
        theory.U: head.sensitivity,
        theory.I: head.information,
        theory.Sigma: head.score_variance,
        theory.n: n,
        theory.n_var: head.mean_square(n),
        theory.rest: 2 * head.slope * head.bend * third
        + head.bend**2 * (3 * (n - 1) * second**2 + fourth) / n,
    }


def _per_step() -> Iterator[Values]:
    known = {**_fitted(*three_steps()), Sigma_step: 1}
    yield {quantity: known[quantity] for quantity in _PER_STEP.quantities}


@claim(
    theory.fluctuation,
    over=HEADS.with_landmarks(**{"three steps": three_steps}),
    mutants=(
        NamedMutant("per-step", _PER_STEP, "Sigma of steps, as if they were units", _per_step),
        NamedMutant(
            "Fisher",
            Eq(theory.n_var, theory.H**4 * theory.U**2 / theory.I + _REST),
            "the inverse Hessian alone, as if the model held the law of the data",
        ),
    ),
)
def fluctuation(head: BinomialHead, n: int) -> Iterator[Values]:
    yield _fitted(head, n)


_LIKELY = Fraction(7, 10)
_FORKED: Landmarks = {
    "edge of a ball": edge_of_ball,
    "wrong model": partial(forked, 1, _LIKELY, _LIKELY),
    "wrong model, four steps": partial(forked, 4, _LIKELY, _LIKELY),
    "nearly right model": partial(forked, 1, _TENTH, _TENTH),
    "unlucky data": partial(forked, 1, _NONE, _LIKELY),
}


@claim(
    theory.decomposition,
    over=lattices().along(lattice_target, blurred, blurred).with_landmarks(**_FORKED),
    survivors={
        "Abs(J_hat - R) <= B + 3*sqrt(5)*H**2*sqrt(eps_R)/10 + moved": "not known to be false: "
        "0.902 of the middle term is attained where B = 0",
    },
)
def decomposition(
    lattice: RewardLattice, asked: Target, best: Blurred, fitted: Blurred
) -> Iterator[Values]:
    """`best` stands for the best model, `fitted` for one that data have led to."""
    modelled = next(_modelled(lattice.process, asked, best))
    found = next(_modelled(lattice.process, asked, fitted))[theory.J_model]
    moved = abs(found - modelled[theory.J_model])
    known = {**_dense(lattice, asked), **modelled, theory.J_hat: found, theory.moved: moved}
    yield _asked(theory.decomposition, known)
