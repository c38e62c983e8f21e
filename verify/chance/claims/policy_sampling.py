"""Claims on policies trained at random levels, and on policies chosen by samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import ceil, comb, isqrt
from typing import Any

from sympy import exp

from holdfast.solvers.chance.mixtures import Atom, best_single
from holdfast.solvers.cmdp.tails import binomial_tail
from holdfast.theory import Le
from holdfast.theory.chance import policy_mixtures as theory
from holdfast.theory.chance import policy_sampling

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.proofs import Proved, calculated
from ...binding.values import Values
from ...kernel import format_rational
from ..families.mixtures import SampledLevels, Selection, sampled_levels, selections


def infeasible_share(case: SampledLevels) -> Proved:
    """The share of all samples for which no policy that exists is within alpha, by counting.

    Its certificate has the closed form: all samples miss the cells between least and alpha.
    """
    middles = [Fraction(2 * cell + 1, 2 * case.cells) for cell in range(case.cells)]
    trained = [[Atom(m, 1 - m)] if m * case.cells > case.least else [] for m in middles]
    safe_enough = 1 - Fraction(case.most, case.cells)
    failing = sum(
        best_single([atom for own in sample for atom in own], safe_enough) is None
        for sample in product(trained, repeat=case.samples)
    )
    missed = Fraction(case.cells - max(case.most - case.least, 0), case.cells)
    tree = ["pow", format_rational(missed), case.samples]
    return calculated(Fraction(failing, case.cells**case.samples), tree)


@claim(
    policy_sampling.sampled_levels,
    over=sampled_levels(above=True).with_landmarks(
        fine=lambda: (SampledLevels(1, 1000, 0, 1),),
        finer=lambda: (SampledLevels(2, 40, 3, 4),),
    ),
)
def sampled_levels_claim(case: SampledLevels) -> Iterator[Values]:
    yield {
        theory.failure: infeasible_share(case),
        policy_sampling.S_levels: case.samples,
        policy_sampling.room: Fraction(case.most - case.least, case.cells),
    }


@claim(
    policy_sampling.limit_at_the_minimum,
    over=sampled_levels().with_landmarks(minimum=lambda: (SampledLevels(3, 4, 2, 2),)),
    witness="minimum",
    shows=lambda case: {policy_sampling.room: Fraction(case.most - case.least, case.cells)},
)
def limit_at_the_minimum(case: SampledLevels) -> Iterator[Values]:
    yield {theory.failure: infeasible_share(case)}


_HALF, _NONE = Fraction(1, 2), Fraction(0)


def looks_safe(case: Selection) -> Fraction:
    """The probability that N episodes of one policy that is not safe meet the tightened level."""
    allowed = case.tightened * (1 - case.discount)
    if allowed >= 1:
        return Fraction(1)
    # at most `allowed` of the episodes unsafe: at least the rest of them safe
    return binomial_tail(case.trials, 1 - case.risk, case.risk - allowed)


def _looks_safe_tree(case: Selection) -> list[Any]:
    """The same in the kernel's language, term by term: at most so many episodes are unsafe."""
    bad, good = format_rational(case.risk), format_rational(1 - case.risk)
    most = min(int(case.trials * case.tightened * (1 - case.discount)), case.trials)
    return ["add", *(
        ["mul", str(comb(case.trials, k)), ["pow", bad, k], ["pow", good, case.trials - k]]
        for k in range(most + 1)
    )]  # fmt: skip


def wrongly_chosen(case: Selection) -> Proved:
    """The probability that one of the policies looks safe; the best of these is then chosen."""
    one_fails = ["add", "1", ["neg", _looks_safe_tree(case)]]
    tree = ["add", "1", ["neg", ["pow", one_fails, case.policies]]]
    return calculated(1 - (1 - looks_safe(case)) ** case.policies, tree)


def ce4(policies: int = 100) -> tuple[Selection]:
    """gamma_c = 1/2, alpha_s = 2/5, the estimate at most 1/5, N = 100, K policies of risk 21/100.

    Their cost 21/50 exceeds 2/5.  An estimate of 1/5 means at most 10 unsafe episodes of 100, which
    has probability 0.0029 for one; the printed bound is exp(-2 100 (1/5)^2 (1/2)^2) = e^-2 = 0.135.
    """
    half, fifth = Fraction(1, 2), Fraction(1, 5)
    return (Selection(policies, 100, Fraction(21, 100), half, 2 * fifth, fifth),)


def _values(case: Selection) -> Values:
    return {
        theory.failure: wrongly_chosen(case),
        theory.N_samples: case.trials * case.copies,
        theory.alpha_s: case.level,
        theory.alpha_t: case.tightened,
        theory.gamma_c: case.discount,
    }


@claim(
    policy_sampling.selection_bound,
    over=selections().with_landmarks(
        **{
            "CE-4": ce4,
            "CE-4 with ten": lambda: ce4(10),
            "CE-4 with one": lambda: ce4(1),
            "one sample each": lambda: (Selection(50, 1, _HALF, _NONE, Fraction(9, 20), _NONE),),
        }
    ),
    witness="CE-4",
)
def selection_bound(case: Selection) -> Iterator[Values]:
    yield _values(case)


ALPHA = Fraction(1, 2)
"""The chance constraint's level in CE-4' and CE-4'', above the level of the cost."""


def ce4_chance(policies: int = 40, discount: Fraction = _HALF) -> Selection:
    """CE-4': one sample each of forty policies of risk 3/5 > alpha = 1/2; none may be unsafe.

    The policy before the step has no risk, so it is always accepted, and pays least.  One of the
    forty shows no unsafe sample, and is taken, with probability 1 - (3/5)^40; the bound is
    exp(-2 (2/5)^2 (1 - gamma_c)^2) = 0.923 at 1/2.
    """
    return Selection(policies, 1, Fraction(3, 5), discount, Fraction(2, 5), _NONE)


def _accepting(draw: Draw) -> Selection:
    return ce4_chance(draw.integer(10, 40), 1 - Fraction(1, draw.integer(1, 30)))


@claim(
    theory.selection_chance,
    over=Family("many risky policies judged by one sample", _accepting).with_landmarks(
        **{
            "CE-4'": lambda: (ce4_chance(),),
            "CE-4' patient": lambda: (ce4_chance(discount=Fraction(9, 10)),),
            "CE-4' at 9999/10000": lambda: (ce4_chance(discount=Fraction(9999, 10000)),),
        }
    ),
    survivors={
        Le(
            theory.failure,
            exp(-2 * theory.N_samples * theory.alpha_t**2 * (1 - theory.gamma_c) ** 2),
        ): "true here: nothing unsafe may be seen, alpha_t = 0, so this bound is 1",
    },
    witness="CE-4'",
    shows=lambda case: {theory.alpha: ALPHA, theory.risk: case.risk},
)
def selection_chance(case: Selection) -> Iterator[Values]:
    yield _values(case)


@dataclass(frozen=True, slots=True)
class DivergenceStep:
    """CE-4'': x with a safe action a0 and four risky ones of risk 3/5 and reward 1; T = 1.

    Before the step a0 has probability 9/10, each other 1/40; the class is that policy and the four
    that always take one risky action, at a divergence of at most log 40 = delta.  alpha = 1/2,
    alpha_s = 2/5, the estimate is held to 1/10, N samples of the discounted law for each policy.
    """

    discount: Fraction

    @property
    def samples(self) -> int:
        """N, the least whole number whose square is at least 1/(1 - gamma_c)."""
        asked = 1 / (1 - self.discount)
        return isqrt(ceil(asked) - 1) + 1

    def failure(self) -> Proved:
        """What the probability that a risky policy is taken exceeds.

        H is 6/100 gamma_c before the step, at most 1/10, so a risky policy without an unsafe sample
        is accepted; a sample is of x with probability 1 - gamma_c, then unsafe with 3/5.  None is
        taken only if all four show an unsafe one, or if all N actions of the old policy are risky,
        so that its sampled return is no smaller.
        """
        hidden = 1 - Fraction(3, 5) * (1 - self.discount)
        shown = ["add", "1", ["neg", ["pow", format_rational(hidden), self.samples]]]
        tied = ["pow", "1/10", self.samples]
        tree = ["add", "1", ["neg", ["pow", shown, 4]], ["neg", tied]]
        safe = (1 - hidden**self.samples) ** 4 + Fraction(1, 10**self.samples)
        return calculated(1 - safe, tree)


def _stepped(draw: Draw) -> DivergenceStep:
    return DivergenceStep(1 - Fraction(1, draw.integer(2, 1000)))


@claim(
    theory.selection_divergence,
    over=Family("four risky policies near one that is safe enough", _stepped).with_landmarks(
        **{
            "CE-4''": lambda: (DivergenceStep(_HALF),),
            "CE-4'' at 9/10": lambda: (DivergenceStep(Fraction(9, 10)),),
            "CE-4'' patient": lambda: (DivergenceStep(Fraction(99, 100)),),
            "CE-4'' at 9999/10000": lambda: (DivergenceStep(Fraction(9999, 10000)),),
        }
    ),
    witness="CE-4''",
    shows=lambda case: {
        theory.alpha: ALPHA,
        theory.risk: Fraction(3, 5),
        theory.H_before: case.discount * 4 * Fraction(1, 40) * Fraction(3, 5),
    },
)
def selection_divergence(case: DivergenceStep) -> Iterator[Values]:
    yield {
        theory.failure_least: case.failure(),
        theory.N_samples: case.samples,
        theory.alpha_s: Fraction(2, 5),
        theory.alpha_t: Fraction(1, 10),
        theory.gamma_c: case.discount,
    }


_TINY = Fraction(1, 10**6)
"""Small enough to come as near to the limit as a case can show, large enough to be printed."""
_DISTANCE = theory.alpha_s - theory.alpha_t
M14 = NamedMutant(
    "M14",
    Le(theory.failure, exp(-2 * theory.N_samples * _DISTANCE**2 * (1 - theory.gamma_c) ** 2)),
    "Hoeffding's inequality without the union over the class",
)


@claim(
    policy_sampling.union_bound,
    over=selections(telling=True)
    .with_landmarks(
        **{
            "CE-4": ce4,
            "sure": lambda: (Selection(1, 1, Fraction(1, 100), _NONE, Fraction(1, 200), _NONE),),
            "patient": lambda: (
                Selection(1, 1, Fraction(1, 10), Fraction(99, 100), Fraction(9), _NONE),
            ),
            "far": lambda: (Selection(1, 2000, _HALF, _NONE, _HALF - _TINY, Fraction(2, 5)),),
            "close": lambda: (Selection(1, 2000, _HALF, _NONE, _HALF - _TINY, _HALF - 2 * _TINY),),
        }
    )
    .with_controls(independent=selections(copied=True), tightened=selections(tightened=False)),
    mutants=(M14,),
)
def union_bound(case: Selection) -> Iterator[Values]:
    yield {**_values(case), policy_sampling.K_policies: case.policies}
