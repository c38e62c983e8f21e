r"""How large hypergradients can be, and what a follower that is not optimal costs.

Ranges are largest less smallest value over the follower's actions.  A follower that is not optimal
has :math:`g\propto e^{\tilde Q/\beta}` with :math:`\|\tilde Q-Q_F\|_\infty\le\epsilon`; one that
carries its Q along does K soft backups after each step of the leader.

Main results: `policy`, `indirect_term`, `plug_in`, `plug_in_gradient`, `tracking`, `soft_gap`.
"""

from sympy import exp

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le
from ..theorem import Assumption, Sharp, Theorem
from .covariance import OURS, beta, gamma_F

change = Quantity("change", "sum over b of |dg(b|x)|", Domain.NONNEGATIVE, r"\|dg(\cdot|x)\|_1")
range_dQ = Quantity("range_dQ", "range of dQ_F(x, .)", Domain.NONNEGATIVE, r"\rho(dQ_F)")
policy = Theorem(
    label="bounds/policy",
    title="The best response moves by at most the range of dQ_F over twice the temperature",
    relation=Le(change, range_dQ / (2 * beta)),
    source=OURS,
    proof="sum |dg| = E|dQ_F - E dQ_F|/beta; a mean absolute deviation is at most half a range.",
    uses=("covariance/envelope",),
    remark="Attained by two equally likely actions.",
    sharp=(Sharp("1/2", "Attained by two equally likely actions."),),
)
size = Quantity("size", "|E sum gamma_L^t A_L dQ_F|", Domain.NONNEGATIVE, r"|\mathrm{Cov}|")
ranges = Quantity(
    "ranges", "sum of occ_L(s) range Q_L(s, .) range dQ_F(s, .)", Domain.NONNEGATIVE,
    r"\sum\mathrm{occ}_L\rho(Q_L)\rho(dQ_F)",
)  # fmt: skip
gamma_L = Quantity("gamma_L", "discount of the leader", Domain.DISCOUNT, r"\gamma_L")
range_Q = Quantity("range_Q", "largest range of Q_L(s, .)", Domain.NONNEGATIVE, r"\rho_{\max}(Q_L)")
largest = Quantity(
    "largest", "largest range of dQ_F(s, .)", Domain.NONNEGATIVE, r"\rho_{\max}(dQ_F)"
)
indirect_term = Theorem(
    label="bounds/indirect",
    title="The indirect term is at most a quarter of two ranges over the temperature",
    relation=Both(
        Le(size / beta, ranges / (4 * beta)),
        Le(ranges, range_Q * largest / (1 - gamma_L)),
    ),
    source=OURS,
    proof="A covariance is at most a quarter of the product of the ranges (Popoviciu, Gruess).",
    uses=("hypergradients/boltzmann",),
    remark="Attained by two equally likely actions, Q_L and dQ_F in proportion.",
    sharp=(
        Sharp("1/4", "Attained by two equally likely actions, Q_L and dQ_F in proportion."),
        Sharp("1", "Attained where all states have the same ranges.", 1),
    ),
)
epsilon = Quantity("epsilon", "largest error of the action values", Domain.NONNEGATIVE, r"\epsilon")
distance = Quantity(
    "distance", "largest sum over b of |g - g*|", Domain.NONNEGATIVE, r"\|g-g^*\|_1"
)
plug_in = Theorem(
    label="bounds/plug-in",
    title="A policy from action values that are wrong by epsilon is as close as this",
    relation=Both(
        Le(distance, exp(2 * epsilon / beta) - 1),
        Le(distance * (exp(epsilon / beta) + 1), 2 * (exp(epsilon / beta) - 1)),
    ),
    source=OURS,
    proof="|log g/g* | <= 2 epsilon/beta. The second, sharper one: the odds of a set of actions "
    "change by at most e^(2 epsilon/beta), which changes its probability by at most "
    "tanh(epsilon/(2 beta)).",
    remark="The second is 2 tanh(epsilon/(2 beta)), which is attained; it is about epsilon/beta.",
    sharp=(
        Sharp(
            "2", "2 tanh(epsilon/(2 beta)) is attained by two actions whose errors are opposite.", 1
        ),
    ),
)
error = Quantity("error", "|dJ by g less dJ by g*|", Domain.NONNEGATIVE, r"|\Delta dJ|")
worst = Quantity(
    "worst", "R D (2/(1 - gamma_L) + gamma_F/(1 - gamma_F))/(4 (1 - gamma_L)^2 (1 - gamma_F)), "
    "where R and D are the ranges of r_L and dr_F", Domain.NONNEGATIVE, "C",
)  # fmt: skip
REWARDS = Assumption(
    "rewards", "The parameter moves the follower's rewards alone, and no episode ends."
)
plug_in_gradient = Theorem(
    label="bounds/plug-in-gradient",
    title="The hypergradient is then wrong by at most a multiple of that distance",
    relation=Le(error, distance * worst / beta),
    source=OURS,
    given=(REWARDS,),
    proof="In units of R D/(4 (1 - gamma_L)^2 (1 - gamma_F)): visits change a sum of covariances "
    "by gamma_L/(1 - gamma_L), Q_L and dQ_F change them by gamma/(1 - gamma) each, and the law of "
    "actions by 2, as (X - E X)(Y - E Y) has at most the product of the ranges as its own.",
    uses=("bounds/plug-in", "hypergradients/boltzmann"),
    remark="With bounds/plug-in it is of the order of epsilon/beta^2.",
)

e = Quantity("e", "largest error of the follower's Q before", Domain.NONNEGATIVE, "e_k")
e_next = Quantity(
    "e_next", "after K backups and a step of the leader", Domain.NONNEGATIVE, "e_{k+1}"
)
K = Quantity("K", "soft backups between two steps", Domain.COUNT, "K")
step = Quantity(
    "step", "length of the leader's step", Domain.NONNEGATIVE, r"\|\theta_{k+1}-\theta_k\|"
)
G_r = Quantity("G_r", "largest |dr_F|", Domain.NONNEGATIVE, r"\|dr_F\|_\infty")
LINE = Assumption("line", "The leader moves along one line, by which rewards move linearly.")
tracking = Theorem(
    label="bounds/tracking",
    title="A follower that carries its Q along keeps up with the leader",
    relation=Le(e_next, gamma_F**K * e + G_r * step / (1 - gamma_F)),
    source=OURS,
    given=(LINE,),
    proof="The backup is a contraction, and Q_F is Lipschitz in the reward.",
    remark="Attained where all errors, and all derivatives of rewards, are equal.",
)
gap = Quantity("gap", "V of the soft maximum of Q less V of g with its bonus", latex=r"V_Q-V^g_Q")
divergence = Quantity("divergence", "KL(g || g_Q)", Domain.NONNEGATIVE, r"\mathrm{KL}(g\|g_Q)")
soft_gap = Theorem(
    label="bounds/soft-gap",
    title="What a policy loses against the soft maximum of Q is a divergence",
    relation=Eq(gap, beta * divergence),
    source=OURS,
    proof="Q = beta log g_Q + V_Q.",
    remark="V of g is E_g (Q - beta log g), g_Q in proportion to e^(Q/beta).",
)
