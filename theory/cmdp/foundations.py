r"""Constrained Markov decision processes: occupancies, duality, randomisation, infeasibility.

Notation.  Finite states and actions, transition law P, discount gamma in [0, 1), initial law mu,
reward r, costs c_i with budgets d_i.  ``J_q(pi) = E sum_t gamma^t q(s_t, a_t)`` is UN-normalised,
and so is the occupancy ``rho(s, a) = sum_t gamma^t Pr(s_t = s, a_t = a)``, of mass 1/(1 - gamma).
``P*`` is the optimal value of: maximise <r, rho> subject to the flow equations and
<c_i, rho> <= d_i.

Main results: `occupancy_measure`, `stationary_suffices`, `vertices_are_deterministic`,
`strong_duality`, `few_randomisations`, `multiplier_bound`, `perturbation_function`,
`approximate_primal`, `approximate_primal_double`, `infeasibility`, `time_inconsistency`,
`coordinate_vertex`, `splitting`.
"""

from sympy import Min, Rational

from .quantities import Domain, Quantity
from .relations import Both, Eq, Ge, Gt, Le
from .theorem import Assumption, Provenance, Source, Theorem

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

P_star = Quantity("P_star", "optimal value of the constrained problem", latex=r"P^\star")
mu_V = Quantity("mu_V", "initial law times the dual values", latex=r"\mu^\top V")
lam_d = Quantity("lam_d", "multipliers times budgets", latex=r"\lambda^\top d")
strong_duality = Theorem(
    label="cmdp/strong-duality",
    title="A feasible finite constrained problem has no duality gap, Slater or not",
    relation=Eq(P_star, mu_V + lam_d),
    source=Source("Altman 1999", "ch. 3", Provenance.RECALLED),
    given=(FEASIBLE,),
    proof="It is a finite linear program; Slater's condition only bounds the multipliers.",
)

N_random = Quantity(
    "N", "randomisations: sum over reached states of (number of actions - 1)", Domain.COUNT, "N"
)
B_binding = Quantity("B", "constraints that bind", Domain.COUNT, "B")
m_constraints = Quantity("m", "constraints", Domain.COUNT, "m")
few_randomisations = Theorem(
    label="cmdp/randomisations",
    title="No more randomisations than binding constraints",
    relation=Both(Le(N_random, B_binding), Le(B_binding, m_constraints)),
    source=Source("Beutler and Ross 1985; Altman 1999", "ch. 3", Provenance.RECALLED),
    given=(FEASIBLE, BASIC),
    proof="A basic solution has at most |S_reached| + B positive pairs; each state needs one.",
    uses=("cmdp/vertices",),
    remark="For one initial law only; several randomisations may sit in one state.",
)

Lambda = Quantity(
    "Lambda", "sum of the optimal multipliers", Domain.NONNEGATIVE, r"\|\lambda^\star\|_1"
)
xi = Quantity("xi", "uniform slack of the Slater policy", Domain.POSITIVE, r"\xi")
J_slater = Quantity("J_bar", "return of the Slater policy", latex=r"J_r(\bar\pi)")
multiplier_bound = Theorem(
    label="cmdp/multiplier-bound",
    title="Slater slack bounds the multipliers",
    relation=Le(Lambda * xi, P_star - J_slater),
    source=Source("Altman 1999", "ch. 3", Provenance.RECALLED),
    given=(SLATER,),
    proof="Evaluate the Lagrangian at the Slater policy.",
    uses=("cmdp/strong-duality",),
    remark="Tight on a two-armed bandit.",
)

v_low = Quantity("v_0", "optimal value at the smaller budgets", latex="v(d_0)")
v_high = Quantity("v_1", "optimal value at the larger budgets", latex="v(d_1)")
v_middle = Quantity("v_mid", "optimal value half-way", latex=r"v(\tfrac{d_0+d_1}{2})")
lam_step = Quantity(
    "lam_step",
    "multipliers at the smaller budgets times the step",
    Domain.NONNEGATIVE,
    r"\lambda_0^\top(d_1-d_0)",
)
perturbation_function = Theorem(
    label="cmdp/perturbation",
    title="The optimal value is concave and non-decreasing in the budgets",
    relation=Both(
        Ge(v_middle, Rational(1, 2) * v_low + Rational(1, 2) * v_high),
        Le(v_low, v_high),
        Le(v_high, v_low + lam_step),
    ),
    source=Source("Altman 1999", "ch. 3", Provenance.RECALLED),
    given=(ORDERED,),
    proof="Mix the occupancies; the multipliers are a supergradient.",
    uses=("cmdp/strong-duality",),
    remark="At a kink the multiplier is an interval, so solvers may disagree on it.",
)

violation = Quantity("violation", "excess cost of the policy", Domain.NONNEGATIVE, r"[J_c-d]_+")
delta = Quantity(
    "delta", "penalised suboptimality P* - J_r + C [J_c - d]_+", Domain.REAL, r"\delta"
)
penalty = Quantity("C", "penalty", Domain.POSITIVE, "C")
lam = Quantity("lam", "optimal multiplier", Domain.NONNEGATIVE, r"\lambda^\star")
approximate_primal = Theorem(
    label="cmdp/approximate-primal",
    title="Small penalised suboptimality means small violation",
    relation=Le(violation, delta / (penalty - lam)),
    source=Source("used by every primal-dual proof", "", Provenance.RECALLED),
    given=(FEASIBLE, ONE_COST, PENALTY),
    proof="v(d + tau) <= P* + lambda* tau with tau the violation.",
    uses=("cmdp/perturbation",),
)
approximate_primal_double = Theorem(
    label="cmdp/approximate-primal-double",
    title="With twice the multiplier as penalty, the violation is at most 2 delta / C",
    relation=Le(violation, 2 * delta / penalty),
    source=Source("used by every primal-dual proof", "", Provenance.RECALLED),
    given=(FEASIBLE, ONE_COST, DOUBLE_PENALTY),
    proof="C - lambda* >= C / 2.",
    uses=("cmdp/approximate-primal",),
)

J_scalar = Quantity(
    "J_min", "least multiplier-weighted cost over all policies", latex=r"\min_\pi\lambda^\top J_c"
)
t_star = Quantity("t_star", "smallest uniform increase of the budgets", Domain.POSITIVE, r"t^\star")
lam_sum = Quantity("lam_sum", "sum of the weights", Domain.NONNEGATIVE, r"\|\lambda\|_1")
infeasibility = Theorem(
    label="cmdp/infeasibility",
    title="Infeasibility is a scalarised cost that no policy can afford",
    relation=Both(Gt(J_scalar, lam_d), Eq(t_star, J_scalar - lam_d), Eq(lam_sum, 1)),
    source=Source("Farkas, for the occupancy LP", "", Provenance.RECALLED),
    given=(INFEASIBLE,),
    proof="The multipliers (summing to one) are the dual of: minimise t with J_ci - t <= d_i.",
    uses=("cmdp/strong-duality",),
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

n_actions = Quantity("n_actions", "largest number of actions used in a state", Domain.COUNT, "n")
J_before = Quantity("J", "return before the reduction", latex=r"J_r(\pi)")
J_after = Quantity("J_new", "return after the reduction", latex=r"J_r(\pi')")
cost_before = Quantity("cost", "cost before, own discount", latex=r"J_c(\pi)")
cost_after = Quantity("cost_new", "cost after, own discount", latex=r"J_c(\pi')")
coordinate_vertex = Theorem(
    label="cmdp/coordinate-vertex",
    title="One cost constraint, two discounts: two actions in each state are enough",
    relation=Both(Le(n_actions, 2), Ge(J_after, J_before), Le(cost_after, cost_before)),
    source=Source("holdfast", "coordinate-vertex theorem", Provenance.DERIVED),
    given=(ONE_COST,),
    proof=(
        "In pi(.|s) return and cost are linear-fractional with positive denominators (renewal at "
        "s); a linear-fractional objective over a simplex cut by a half-space peaks at a vertex, "
        "which has at most two positive entries. Go through the states."
    ),
    remark="Reward and cost may have different discounts; one initial law.",
)

p_action = Quantity("p", "probability of the first action", Domain.PROBABILITY, r"\pi(a_1|s)")
q_split = Quantity("q_split", "weight of the first resolution", latex="q")
x_first = Quantity("x_1", "occupancy of s, first resolution", Domain.NONNEGATIVE, "x_1(s)")
x_second = Quantity("x_2", "occupancy of s, second resolution", Domain.NONNEGATIVE, "x_2(s)")
distance = Quantity(
    "distance",
    "l1 distance of the occupancy to the mixture",
    Domain.NONNEGATIVE,
    r"\|\rho^\pi-q\rho^{\pi_1}-(1-q)\rho^{\pi_2}\|_1",
)
splitting = Theorem(
    label="cmdp/splitting",
    title="Randomising in one state is flipping once per episode, with another probability",
    relation=Both(
        Eq(p_action, q_split * x_first / (q_split * x_first + (1 - q_split) * x_second)),
        Eq(distance, 0),
    ),
    source=Source("Feinberg and Rothblum 2012", "splitting", Provenance.RECALLED),
    given=(ONE_STATE,),
    proof="Both sides have the same conditional law in s and solve the same flow equations.",
    uses=("cmdp/stationary-suffices",),
)
