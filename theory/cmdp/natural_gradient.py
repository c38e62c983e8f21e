r"""Dual ascent on a constraint: what the multiplier's path alone says about the constraint.

The update is ``lambda_{k+1} = max(0, lambda_k - eta (j_k - tau))`` with observed values j_k and
target tau (j >= tau is wanted).  No assumption on how j_k came about: these are log checkers.

Then the natural policy gradient primal-dual method on softmax policies: rewards and costs in
[0, 1], UN-normalised returns, ``theta += eta_1/(1 - gamma) A``, A the advantage of r - lambda c,
``lambda = clip(lambda + eta_2 (J_c - d), 0, 2/((1 - gamma) xi))``, with n actions eta_1 =
2 log n and eta_2 = 2 (1 - gamma)/sqrt(T), from zero.  The step on theta multiplies pi by
exp(eta_1 A/(1 - gamma))/Z.

Main results: `natural_step`, `natural_improvement`, `average_gap`, `average_violation`.
"""

from sympy import sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Source, Theorem
from .foundations import SLATER, gamma

MULTIPLICATIVE = Assumption(
    "multiplicative", "The new policy is the old one times exp(eta A/(1 - gamma)), normalised."
)
COVERED = Assumption("covered", "The old policy takes every action that the comparator takes.")
UNIT = Assumption("unit", "Rewards and costs lie in [0, 1], the budget in [0, 1/(1 - gamma)].")

_SOURCE = Source("holdfast", "dual telescoping", Provenance.DERIVED)
_DING = "Ding, Zhang, Basar and Jovanovic 2020"
eta = Quantity("eta", "step size", Domain.POSITIVE, r"\eta")

V_comparator = Quantity("V_star", "return of the comparator", latex=r"V^{\pi^\star}(\mu)")
V_before = Quantity("V", "return before the step", latex=r"V^{\pi}(\mu)")
kl_gain = Quantity(
    "gain",
    "mean over the comparator's distribution of KL(pi*|pi) - KL(pi*|pi') + log Z",
    latex=r"\mathbb E_{d^\star}[{\rm KL}(\pi^\star\|\pi)-{\rm KL}(\pi^\star\|\pi')+\log Z]",
)
natural_step = Theorem(
    label="primal-dual/natural-step",
    title="A natural gradient step brings the policy closer to any comparator by what that gains",
    relation=Eq(V_comparator - V_before, kl_gain / eta),
    source=Source(_DING, "proof of the average bounds", Provenance.DERIVED),
    given=(MULTIPLICATIVE, COVERED),
    proof=(
        "eta A/(1 - gamma) = log(pi'/pi) + log Z; average over the comparator and use the "
        "performance difference lemma."
    ),
    uses=("trust-region/performance-difference",),
    remark="pi' is pi exp(eta A/(1 - gamma))/Z, for any reward; d* is normalised. Any one base.",
)

V_after = Quantity("V_new", "value of a state after the step", latex=r"V^{\pi'}(s)")
V_here = Quantity("V", "value of the state before the step", latex=r"V^{\pi}(s)")
log_Z = Quantity("log_Z", "logarithm of the state's normalising constant", latex=r"\log Z(s)")
natural_improvement = Theorem(
    label="primal-dual/natural-improvement",
    title="A natural gradient step improves every state",
    relation=Both(Ge(V_after - V_here, (1 - gamma) * log_Z / eta), Ge(log_Z, 0)),
    source=Source(_DING, "improvement lemma", Provenance.DERIVED),
    given=(MULTIPLICATIVE,),
    proof=(
        "Take the new policy as the comparator: in each state KL(pi'|pi) + log Z is at least "
        "log Z >= 0 (Jensen), and the state itself has weight at least 1 - gamma."
    ),
    uses=("primal-dual/natural-step",),
    remark="Sharp for long steps where the state is not met again.",
)

mean_gap = Quantity("gap", "mean of V* - V over the iterations", latex=r"\overline{V_r^\star-V_r}")
mean_violation = Quantity(
    "violation", "mean of J_c - d over the iterations", latex=r"\overline{J_c-d}"
)
T_steps = Quantity("T", "iterations", Domain.TRIALS, "T")
xi = Quantity("xi", "Slater slack", Domain.POSITIVE, r"\xi")
average_gap = Theorem(
    label="primal-dual/average-gap",
    title="Natural policy gradient primal-dual: the mean suboptimality after T iterations",
    relation=Le(mean_gap, 7 / ((1 - gamma) ** 2 * sqrt(T_steps))),
    source=Source(_DING, "Theorem on softmax policies, exact gradients", Provenance.RECALLED),
    given=(UNIT, SLATER),
    proof=(
        "Sum the steps: KL <= log |A|, the improvement lemma telescopes up to the multipliers' "
        "moves of at most eta_2/(1 - gamma), and the dual pays by its regret. With g = 1 - gamma "
        "and R = sqrt(T) the mean gap is at most 1/(2T) + 1/(g^2 T) + 4/(g^2 R) + 1/(g R)."
    ),
    uses=("primal-dual/natural-step", "primal-dual/natural-improvement", "primal-dual/regret"),
    trivial=1 / (1 - gamma),
    remark="The order in T is what counts, the constant is not sharp; no such bound holds for the "
    "last iterate, or for a dual step that does not shrink with T.",
)
average_violation = Theorem(
    label="primal-dual/average-violation",
    title="Natural policy gradient primal-dual: the mean violation after T iterations",
    relation=Le(mean_violation, (2 / xi + 4 * xi) / ((1 - gamma) ** 2 * sqrt(T_steps))),
    source=Source(_DING, "Theorem on softmax policies, exact gradients", Provenance.RECALLED),
    given=(UNIT, SLATER),
    proof=(
        "Compare the multipliers with their cap, at least twice the optimal one, and apply the "
        "approximate-primal lemma to the mixture of the iterates: with G the explicit bound on the "
        "gap, the mean violation is at most (1 - gamma) xi (G + 1/((1 - gamma)^3 xi^2 sqrt(T))), "
        "which is at most this wherever this says more than J_c - d <= 1/(1 - gamma) - xi."
    ),
    uses=("primal-dual/average-gap", "cmdp/approximate-primal-double", "cmdp/multiplier-bound"),
    trivial=1 / (1 - gamma) - xi,
    remark="Not sharp; no such bound holds for the last iterate.",
)
