r"""The leader's hypergradient in a Markov game, where it acts by a policy :math:`f_\theta(a|s)`.

A follower that *observes* a has the policy g(b|s, a); one that moves *at the same time* has g(b|s).
The *benefit* is :math:`B_L=Q_L-\mathbb E_gQ_L`, the *influence* of a step is the mean of the sum of
:math:`\gamma_F^kd\log f\,(V_F-\mathbb E_fV_F)` over the steps k = 1, 2, ... that follow it.

Main results: `observing`, `unbiased`, `simultaneous`, `toy_one`, `toy_two`.
"""

from sympy import Rational

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Gt, Le
from ..theorem import Assumption, Provenance, Source, Theorem
from .covariance import OURS, PAPER, beta
from .hypergradients import ENDS, dJ, sampled_direct

direct = Quantity("direct", "E sum gamma_L^t dlog f (Q_L - V_L(s))")
plain = Quantity("plain", "the same without the baseline V_L(s)")
benefits = Quantity("benefits", "E sum gamma_L^t benefit influence")
with_first = Quantity("with_first", "the same, the influence with k = 0")
unbaselined = Quantity("unbaselined", "the same, V_F less nothing")
observing = Theorem(
    label="games/observing",
    title="If the follower observes: a policy gradient, and benefit times influence",
    relation=Both(
        Eq(dJ, direct + benefits / beta),
        Eq(direct, plain),
        Eq(benefits, with_first),
        Eq(benefits, unbaselined),
    ),
    source=Source(PAPER, "its form for Markov games, as its code has it", Provenance.RECALLED),
    proof="hypergradients/boltzmann on states (s, a); E dlog f = 0 and E_g B_L = 0.",
    uses=("hypergradients/boltzmann",),
    remark="V_L(s) is the mean over a and b: a baseline may depend on s alone.",
)
traced = Quantity(
    "traced", "expected sum of e dlog f (V_F - E_f V_F), where e decays by gamma_F before a step "
    "and rises by gamma_L^k B_L after it",
)  # fmt: skip
unbiased = Theorem(
    label="games/unbiased",
    title="A scalar trace is unbiased in games as well",
    relation=Eq(dJ, sampled_direct + traced / beta),
    source=Source(PAPER, "the estimator for Markov games; trace form ours", Provenance.DERIVED),
    given=(ENDS,),
    proof="games/observing, the sums over t < k in the other order.",
    uses=("games/observing",),
)
covariances = Quantity("covariances", "E sum gamma_L^t A_L(s, b) dQ_F(s, b)")
later = Quantity("later", "the same without the step itself, k = 0")
own = Quantity("own", "E sum gamma_L^t A_L(s, b) E dlog f (r_F + gamma_F P V_F)")
simultaneous = Theorem(
    label="games/simultaneous",
    title="If both move at the same time, the step itself counts",
    relation=Both(Eq(dJ, direct + covariances / beta), Eq(covariances, later + own)),
    source=OURS,
    proof="hypergradients/boltzmann with means over a: dQ_F = E dlog f (r_F + gamma_F P V_F) + "
    "gamma_F E dV_F.",
    uses=("hypergradients/boltzmann",),
)

J = Quantity("J", "the leader's un-normalised return at p", Domain.NONNEGATIVE, "J(p)")
J_best = Quantity("J_best", "J at the p that is called best", Domain.NONNEGATIVE, r"J(p^\star)")
rise = Quantity("rise", "dJ/dp at p, times the sign of best - p")
TOY = Assumption("toy", "The toy game of the released code with reward R, discounts 99/100, "
                 "temperature 1/20; no limit on the steps.")  # fmt: skip
ELSEWHERE = Assumption("elsewhere", "p is a number of thousandths between 0 and 1, not the best.")


def _best(value: Rational) -> Both:
    half = Rational(1, 200)
    return Both(Le(J_best, value + half), Le(value - half, J_best), Gt(J_best, J), Gt(rise, 0))


toy_one = Theorem(
    label="games/toy-one",
    title="With R = 1 the best of thousandths is to take action 1 in 0.166 of the cases: 34.99",
    relation=_best(Rational(3499, 100)),
    source=OURS,
    given=(TOY, ELSEWHERE),
    proof="Computed: J rises up to there and falls beyond.",
    remark="At p = 1/2 it is 0.617, and ascent by the direct term alone leads away from the best.",
)
toy_two = Theorem(
    label="games/toy-two",
    title="With R = 2 it is 0.503 of the cases: 39.94",
    relation=_best(Rational(3994, 100)),
    source=OURS,
    given=(TOY, ELSEWHERE),
    proof="Computed.",
)
