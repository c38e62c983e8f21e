"""Ten false lemmas and four true ones, as somebody might bring them, over the shipped families.

Not a test by itself: `test_verdicts.py` runs ``holdfast verify`` on it.  The names say which is
which; five of the false ones are true on every model of their family.
"""

from collections.abc import Iterator
from fractions import Fraction

import flint
import sympy

from holdfast.solvers import CMDP, Policy, policy_iteration, policy_return, solve
from holdfast.solvers import value_of as at_start
from holdfast.theory import Domain, Eq, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import OutOfScope, claim
from holdfast.verify.binding.balls import to_arb
from holdfast.verify.binding.values import Ball, Values
from holdfast.verify.cmdp.families.cmdps import cmdps, policy

MODELS = cmdps(constraints=(1, 1))
BUDGETLESS = cmdps(constraints=(1, 1), feasible=None)

J = Quantity("J", "return of a policy")
V = Quantity("V", "optimal return, constraints left aside")
V_c = Quantity("V_c", "largest cost of a policy")
V_sum = Quantity("V_sum", "optimal return, where the cost is paid as a reward too")
P = Quantity("P", "optimal value of the constrained problem")
J_plus = Quantity("J_plus", "return of the policy, with every reward raised by 1")
J_c = Quantity("J_c", "cost of the policy that is optimal without constraints")
excess = Quantity("excess", "cost of the optimal policy beyond its budget", Domain.NONNEGATIVE)
d = Quantity("d", "budget")
top = Quantity("top", "largest reward")
gamma = Quantity("gamma", "discount", Domain.DISCOUNT)
log_Z = Quantity("log_Z", "logarithm of the sum of exp(reward)")
mean = Quantity("mean", "mean reward under the law proportional to exp(reward)")
entropy = Quantity("entropy", "entropy of this law", Domain.NONNEGATIVE)


def lemma(name: str, relation: object) -> Theorem:
    return Theorem(f"lemmas/{name}", name, relation, Source("a draft", "", Provenance.DERIVED))


def best(model: CMDP, reward: list[Fraction]) -> Fraction:
    paid = model.with_reward(reward)
    return at_start(paid, policy_iteration(paid).values)


def cost_of(model: CMDP, acting: Policy) -> Fraction:
    return policy_return(model, acting, ("cost", 0))


def rewards(model: CMDP) -> list[Fraction]:
    return list(model.reward_vector().fractions())


def costs(model: CMDP) -> list[Fraction]:
    return list(model.cost_vector(0).fractions())


# -- four true ones


@claim(lemma("true-geometric", Le(J, top / (1 - gamma))), over=MODELS.along(policy))
def geometric(model: CMDP, acting: Policy) -> Iterator[Values]:
    yield {J: policy_return(model, acting), top: max(rewards(model)), gamma: model.discount}


@claim(lemma("true-raised", Eq(J_plus - J, 1 / (1 - gamma))), over=MODELS.along(policy))
def raised(model: CMDP, acting: Policy) -> Iterator[Values]:
    more = model.with_reward([r + 1 for r in rewards(model)])
    yield {
        J: policy_return(model, acting),
        J_plus: policy_return(more, acting),
        gamma: model.discount,
    }


@claim(lemma("true-optimum", Le(J, V)), over=MODELS.along(policy))
def optimum(model: CMDP, acting: Policy) -> Iterator[Values]:
    yield {J: policy_return(model, acting), V: best(model, rewards(model))}


@claim(lemma("true-gibbs", Eq(log_Z, mean + entropy)), over=MODELS)
def gibbs(model: CMDP) -> Iterator[Values]:
    """log sum exp(r) = E r + H under the law proportional to exp(r)."""
    numbers = rewards(model)

    def law() -> list[flint.arb]:
        weights = [to_arb(r).exp() for r in numbers]
        return [w / sum(weights) for w in weights]

    yield {
        log_Z: Ball(lambda: sum(to_arb(r).exp() for r in numbers).log()),
        mean: Ball(lambda: sum(p * to_arb(r) for p, r in zip(law(), numbers, strict=True))),
        entropy: Ball(lambda: -sum(p * p.log() for p in law())),
    }


# -- five false ones that some model refutes


@claim(lemma("false-constant", Le(J, sympy.Rational(9, 10) * top / (1 - gamma))),
       over=MODELS.along(policy))  # fmt: skip
def constant(model: CMDP, acting: Policy) -> Iterator[Values]:
    yield from geometric.evaluate(model, acting)


@claim(lemma("false-undiscounted", Eq(J_plus - J, 1)), over=MODELS.along(policy))
def undiscounted(model: CMDP, acting: Policy) -> Iterator[Values]:
    for values in raised.evaluate(model, acting):
        yield {J: values[J], J_plus: values[J_plus]}


@claim(lemma("false-near-optimal", Le(V, J + 1)), over=MODELS.along(policy))
def near_optimal(model: CMDP, acting: Policy) -> Iterator[Values]:
    yield from optimum.evaluate(model, acting)


@claim(lemma("false-additive", Eq(V_sum, V + V_c)), over=MODELS)
def additive(model: CMDP) -> Iterator[Values]:
    both = [r + c for r, c in zip(rewards(model), costs(model), strict=True)]
    yield {
        V: best(model, rewards(model)),
        V_c: best(model, costs(model)),
        V_sum: best(model, both),
    }


@claim(lemma("false-within-budget", Le(J_c, d)), over=MODELS)
def within_budget(model: CMDP) -> Iterator[Values]:
    yield {J_c: cost_of(model, policy_iteration(model).policy(model)), d: model.budgets[0]}


# -- five false ones that no model of the family refutes


@claim(lemma("false-zero-times", Eq(d * J, d * V)), over=BUDGETLESS.along(policy))
def zero_times(model: CMDP, acting: Policy) -> Iterator[Values]:
    """0 = 0: the budgets of this family are zero."""
    yield {**next(optimum.evaluate(model, acting)), d: model.budgets[0]}


@claim(lemma("false-zero-below", Le(excess, J * excess / 2)), over=MODELS.along(policy))
def zero_below(model: CMDP, acting: Policy) -> Iterator[Values]:
    """0 <= 0: an optimal policy meets its budget."""
    found = solve(model)
    over = cost_of(model, found.policy) - model.budgets[0]
    yield {excess: max(over, Fraction(0)), J: policy_return(model, acting)}


@claim(lemma("false-same-beside", Le(P + 7 * excess, P)), over=MODELS)
def same_beside(model: CMDP) -> Iterator[Values]:
    """P <= P: what is added is zero, so the two sides are one number."""
    found = solve(model)
    over = cost_of(model, found.policy) - model.budgets[0]
    yield {P: found.value, excess: max(over, Fraction(0))}


@claim(lemma("false-never-met", Le(V, J)), over=MODELS.along(policy))
def never_met(model: CMDP, acting: Policy) -> Iterator[Values]:
    """Of models with more than 4 states, which the family does not draw."""
    if model.n_states <= 4:
        raise OutOfScope("speaks of more than 4 states")
    yield from optimum.evaluate(model, acting)


@claim(lemma("false-seldom-met", Le(V, 5)), over=MODELS)
def seldom_met(model: CMDP) -> Iterator[Values]:
    """Of a single decision, in one model of four; rewards of this family are at most 5."""
    if model.discount:
        raise OutOfScope("speaks of a single decision")
    yield {V: best(model, rewards(model))}
