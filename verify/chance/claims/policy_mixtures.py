"""Claims on mixtures of whole policies, on coins tossed once or always, on choices by samples."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers import CMDP, Policy, policy_return, solve_linear_program
from holdfast.solvers.chance.mixtures import (
    Atom,
    atom_program,
    best_pair,
    best_single,
    dual_value,
    level_value,
)
from holdfast.solvers.chance.windows.problem import WindowProblem
from holdfast.solvers.models.arrays import assemble
from holdfast.theory import Eq
from holdfast.theory.chance import policy_mixtures as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.values import Values
from ...cmdp.families.cmdps import policy
from ..families.mixtures import Atoms, ConvexReturns, atoms, convex_returns
from ..families.windows import watched_models
from ..landmarks.windows import corridor
from ..returns import start_safety


@claim(theory.two_policies, over=atoms())
def two_policies(drawn: Atoms) -> Iterator[Values]:
    least = 1 - drawn.level
    everything, pair = dual_value(drawn.atoms, least), best_pair(drawn.atoms, least)
    assert everything is not None and pair is not None  # one atom meets the level
    yield {theory.J_mix: everything, theory.J_pair: pair.value}


def _acting(draw: Draw, problem: WindowProblem, *_: object) -> Policy:
    return policy(draw, problem.model)


@claim(theory.two_policies, over=watched_models().along(_acting, _acting, _acting), tag="models")
def two_policies_of_models(problem: WindowProblem, *policies: Policy) -> Iterator[Values]:
    """Three drawn policies of a model, the level that of the second safest."""
    found = [Atom(policy_return(problem.model, p), start_safety(problem, p)) for p in policies]
    least = sorted(atom.safety for atom in found)[1]
    everything, pair = dual_value(found, least), best_pair(found, least)
    assert everything is not None and pair is not None
    yield {theory.J_mix: everything, theory.J_pair: pair.value}


@claim(
    theory.strict_gain,
    over=convex_returns().with_controls(strictly_convex=convex_returns(bends=(-4, 0))),
)
def strict_gain(returns: ConvexReturns) -> Iterator[Values]:
    levels = [returns.level + side * returns.step for side in (-1, 0, 1)]
    found = [Atom(returns.at(level), 1 - level) for level in levels]
    single, pair = (best(found, 1 - returns.level) for best in (best_single, best_pair))
    assert single is not None and pair is not None
    yield {
        theory.J_pair: pair.value,
        theory.J_single: single.value,
        theory.J_minus: found[0].value,
        theory.J_plus: found[2].value,
    }


@claim(theory.components, over=atoms())
def components(drawn: Atoms) -> Iterator[Values]:
    pair = best_pair(drawn.atoms, 1 - drawn.level)
    assert pair is not None
    first, last = (drawn.atoms[pair.atoms[end]] for end in (0, -1))
    best = [level_value(drawn.atoms, 1 - part.safety) for part in (first, last)]
    assert best[0] is not None and best[1] is not None
    yield {
        theory.J_first: first.value,
        theory.best_first: best[0],
        theory.J_second: last.value,
        theory.best_second: best[1],
    }


@claim(theory.few_weights, over=atoms())
def few_weights(drawn: Atoms) -> Iterator[Values]:
    least = 1 - drawn.level
    found, pair = (
        solve_linear_program(atom_program(drawn.atoms, least)),
        best_pair(drawn.atoms, least),
    )
    assert found.value is not None and found.primal is not None and pair is not None
    yield {
        theory.n_weights: sum(1 for weight in found.primal.numerators if weight),
        theory.J_program: found.value,
        theory.J_pair: pair.value,
    }


def with_coin(model: CMDP, weight: Fraction) -> CMDP:
    """The model twice, side by side: a coin decides at the start, and for ever, which one runs."""
    size, mass = model.n_states, model.initial.tolist()
    heads, tails = weight.numerator, weight.denominator - weight.numerator
    return assemble(
        counts=model.action_counts.tolist() * 2,
        actions=model.actions.tolist() * 2,
        rows=[
            {t + side * size: weight for t, weight in model.weighted_row(k).items()}
            for side in (0, 1)
            for k in range(model.n_choices)
        ],
        reward=[*model.reward_vector().fractions()] * 2,
        discount=model.discount,
        initial=[share * m for share in (heads, tails) for m in mass],
    )


def share(draw: Draw, *_: object) -> Fraction:
    """The probability of the first policy."""
    return Fraction(draw.integer(0, 6), 6)


_FLIPS = watched_models().along(_acting, _acting, share).with_landmarks(corridor=corridor)


def _ends(problem: WindowProblem, first: Policy, second: Policy, weight: Fraction) -> Values:
    return {
        theory.w_first: weight,
        theory.F_first: start_safety(problem, first),
        theory.F_second: start_safety(problem, second),
    }


def _step_safety() -> Iterator[Values]:
    problem, first, second, weight = corridor()
    flip = mixed_in_each_step(first, second, weight)
    ends = _ends(problem, first, second, weight)
    yield {theory.F_flip: start_safety(problem, flip), **ends}


def mixed_in_each_step(first: Policy, second: Policy, weight: Fraction) -> Policy:
    """The stationary policy that tosses the coin in each step."""
    pairs = zip(first.probabilities, second.probabilities, strict=True)
    return Policy(tuple(weight * p + (1 - weight) * q for p, q in pairs))


M27 = NamedMutant(
    "M27",
    Eq(theory.F_flip, theory.w_first * theory.F_first + (1 - theory.w_first) * theory.F_second),
    "a coin in each step does what one coin does",
    _step_safety,
)


@claim(theory.episode_flip, over=_FLIPS, mutants=(M27,))
def episode_flip(
    problem: WindowProblem, first: Policy, second: Policy, weight: Fraction
) -> Iterator[Values]:
    doubled = with_coin(problem.model, weight)
    size = problem.model.n_states
    twice = WindowProblem(
        doubled,
        (*problem.unsafe, *(s + size for s in problem.unsafe)),
        problem.window,
        problem.level,
    )
    flip = Policy(first.probabilities + second.probabilities)
    yield {
        **_ends(problem, first, second, weight),
        theory.F_flip: start_safety(twice, flip),
        theory.J_flip: policy_return(doubled, flip),
        theory.R_first: policy_return(problem.model, first),
        theory.R_second: policy_return(problem.model, second),
    }


@claim(theory.step_flip, over=_FLIPS, witness="corridor")
def step_flip(
    problem: WindowProblem, first: Policy, second: Policy, weight: Fraction
) -> Iterator[Values]:
    flip = mixed_in_each_step(first, second, weight)
    ends = _ends(problem, first, second, weight)
    yield {theory.F_flip: start_safety(problem, flip), **ends}
