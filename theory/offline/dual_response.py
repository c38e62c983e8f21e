r"""Dual ascent with exact best responses: what it loses, and how fast a multiplier can move.

In a constrained MDP with one cost, :math:`\pi_k` maximises :math:`J_r-\lambda_kJ_c` and
:math:`\lambda_{k+1}=\{\lambda_k+\eta(J_c(\pi_k)-d)\}_+`.  Returns are un-normalised, with
:math:`J_r\in[0,R]` and :math:`J_c\in[0,C]`; :math:`B=\max(d,C-d)`.

Main results: `average`, `speed`.
"""

from sympy import Max

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Source, Theorem
from .pid import OURS

_AT_LEAST_0 = Domain.NONNEGATIVE
gap = Quantity(
    "gap", "J_r of the constrained optimum less the average J_r", latex=r"J_r^\star-\bar J_r"
)
excess = Quantity("excess", "average J_c less d", latex=r"\bar J_c-d")
largest = Quantity("largest", "largest multiplier", _AT_LEAST_0, r"\max_k\lambda_k")
lam_1 = Quantity("lam_1", "first multiplier", _AT_LEAST_0, r"\lambda_1")
eta = Quantity("eta", "step of the multiplier", Domain.POSITIVE, r"\eta")
K = Quantity("K", "steps", Domain.TRIALS)
B = Quantity("B", "max(d, C - d)", _AT_LEAST_0)
R = Quantity("R", "largest return that rewards allow", _AT_LEAST_0)
xi = Quantity("xi", "d less the least J_c", Domain.POSITIVE, r"\xi", program=r"d-\min_\pi J_c(\pi)")
ceiling = Quantity("Lambda", "ceiling of the multiplier", _AT_LEAST_0, r"\Lambda")
PAYS = Assumption("pays", "Rewards are at least 0.")
average = Theorem(
    label="dual-response/average",
    title="Dual ascent with best responses: reward, multiplier and cost on average",
    relation=Both(
        Le(gap, lam_1**2 / (2 * eta * K) + eta * B**2 / 2),
        Eq(ceiling, Max(lam_1, R / xi + eta * B)),
        Ge(ceiling, lam_1),
        Le(largest, ceiling),
        Le(excess, (ceiling - lam_1) / (eta * K)),
    ),
    source=OURS,
    given=(PAYS,),
    proof="A best response earns J_r^* + lam_k (J_c - d) at least; square and sum the updates. "
    "Above R/xi the response keeps the limit with room to spare.",
    uses=("primal-dual/telescoping",),
    remark="A bad start costs lam_1^2/(2 eta K) in value. The average may be above d.",
)
lam_k = Quantity("lam_k", "multiplier after k updates", _AT_LEAST_0, r"\lambda_k")
k = Quantity("k", "updates", Domain.COUNT)
d = Quantity("d", "limit of the cost", _AT_LEAST_0)
room = Quantity("room", "the most that a measured cost may exceed d by, or 0", _AT_LEAST_0, "C-d")
MEASURED = Assumption("measured", "Costs, as measured, lie in [0, d + room].")
speed = Theorem(
    label="dual-response/speed",
    title="A multiplier under dual ascent cannot move faster than the costs allow",
    relation=Both(Ge(lam_k, lam_1 - k * eta * d), Le(lam_k, lam_1 + k * eta * room)),
    source=Source("Marvel (arXiv:2412.04426)", "its Lagrangian mismatch; form ours",
                  Provenance.DERIVED),
    given=(MEASURED,),
    proof="Each update adds eta (J - d), which lies in [-eta d, eta room]; the projection "
    "only lifts.",
    remark="From 1500 to 0.65 with d = 20 and eta = 0.01 takes 7497 updates; with d = 0 for ever.",
)  # fmt: skip
