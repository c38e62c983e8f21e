r"""Constrained Markov decision processes: notation, occupancies, vertices, time inconsistency.

Notation.  Finite states and actions, transition law P, discount gamma in [0, 1), initial law mu,
reward r, costs c_i with budgets d_i.  ``J_q(pi) = E sum_t gamma^t q(s_t, a_t)`` is UN-normalised,
and so is the occupancy ``rho(s, a) = sum_t gamma^t Pr(s_t = s, a_t = a)``, of mass 1/(1 - gamma).
``P*`` is the optimal value of: maximise <r, rho> subject to the flow equations and
<c_i, rho> <= d_i.

Main results: `occupancy_measure`, `stationary_suffices`, `vertices_are_deterministic`,
`time_inconsistency`.
"""

from sympy import Min

from ..quantities import Domain, Quantity
from ..relations import Both, Eq
from ..theorem import Assumption, Provenance, Source, Theorem

FEASIBLE = Assumption("feasible", "Some policy meets every budget.")
INFEASIBLE = Assumption("infeasible", "No policy meets every budget.")
SLATER = Assumption("slater", "Some policy meets every budget with slack at least xi > 0.")
BASIC = Assumption("basic", "The optimal policy comes from a basic solution of the occupancy LP.")
UNCONSTRAINED = Assumption("unconstrained", "There is no cost constraint.")
ORDERED = Assumption("ordered-budgets", "One budget vector is at most the other, both feasible.")
PENALTY = Assumption("penalty", "The penalty C exceeds the optimal multiplier.")
DOUBLE_PENALTY = Assumption("double-penalty", "The penalty C is at least twice the multiplier.")
ONE_COST = Assumption("one-cost", "There is exactly one expected-cost constraint.")
ONE_STATE = Assumption("one-state", "The policy randomises in one state only, between two actions.")

gamma = Quantity("gamma", "discount", Domain.DISCOUNT, r"\gamma")

mass = Quantity("mass", "total occupancy of the policy", Domain.NONNEGATIVE, r"\|\rho^\pi\|_1")
residual = Quantity(
    "residual", "l1 norm of the residual of the flow equations", Domain.NONNEGATIVE, r"\Delta"
)
occupancy_measure = Theorem(
    label="cmdp/occupancy",
    title="Every stationary policy has an occupancy in the flow polytope",
    relation=Both(Eq(mass, 1 / (1 - gamma)), Eq(residual, 0)),
    source=Source("Altman 1999", "ch. 3", Provenance.RECALLED),
    proof="Condition on one step; sum the flow equations over all states.",
    remark="Un-normalised occupancy, of mass 1/(1 - gamma); the mass is 1 only after a factor.",
)

weight = Quantity("w", "weight of the first of two policies", Domain.PROBABILITY, "w")
J_first = Quantity("J_1", "return of the first policy", latex="J(\\pi_1)")
J_second = Quantity("J_2", "return of the second policy", latex="J(\\pi_2)")
J_induced = Quantity(
    "J_rho", "return of the stationary policy read off the mixed occupancy", latex="J(\\pi_\\rho)"
)
stationary_suffices = Theorem(
    label="cmdp/stationary-suffices",
    title="A mixture of policies has the return of one stationary policy",
    relation=Eq(J_induced, weight * J_first + (1 - weight) * J_second),
    source=Source("Altman 1999", "ch. 3", Provenance.RECALLED),
    proof="(I - gamma P_pi)^T x = mu has one solution, and the mixed occupancy solves it.",
    uses=("cmdp/occupancy",),
)

n_positive = Quantity("n_positive", "pairs of positive occupancy", Domain.COUNT, r"|\rho|_0")
n_reachable = Quantity("n_reachable", "states that are reached", Domain.COUNT, r"|S_\mu|")
vertices_are_deterministic = Theorem(
    label="cmdp/vertices",
    title="Extreme points of the occupancy polytope are deterministic policies",
    relation=Eq(n_positive, n_reachable),
    source=Source("Altman 1999", "ch. 3", Provenance.RECALLED),
    given=(UNCONSTRAINED, BASIC),
    proof="A vertex has at most one positive pair for each flow equation of a reached state.",
    uses=("cmdp/occupancy",),
)

P_star = Quantity(
    "P_star",
    "optimal value of the constrained problem",
    latex=r"P^\star",
    program=r"\max_{\rho\ge 0}\ \rho^\top r\quad\text{subject to}\quad\rho^\top c_i\le d_i,\quad "
    r"\sum_a\rho(s',a)=\mu(s')+\gamma\sum_{s,a}P(s'\mid s,a)\rho(s,a)",
)

d_budget = Quantity("d", "budget", Domain.NONNEGATIVE, "d")
q_reach = Quantity("q", "probability of reaching the risky state", Domain.POSITIVE, "q")
p_first = Quantity("p_0", "optimal risk there, planned from the start", Domain.PROBABILITY, "p_0")
p_second = Quantity("p_1", "optimal risk there, same budget, planned there", Domain.REAL, "p_1")
time_inconsistency = Theorem(
    label="cmdp/time-inconsistency",
    title="The optimal policy depends on where one stands when the budget is granted",
    relation=Both(
        Eq(p_first, Min(1, d_budget / (gamma * q_reach))),
        Eq(p_second, Min(1, d_budget)),
    ),
    source=Source("Haviv 1996", "", Provenance.RECALLED),
    proof="The risky state is reached with weight gamma q, so its risk costs gamma q there.",
    remark=(
        "Start, then with probability q a state with a risky action (reward = cost = 1) and a safe "
        "one; so no policy is optimal for both initial laws when d < 1 and gamma q < 1."
    ),
)
