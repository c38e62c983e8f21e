"""Duality of constrained Markov decision processes: multipliers, perturbations, infeasibility.

Notation as in `foundations`.

Main results: `strong_duality`, `multiplier_bound`, `perturbation_function`, `approximate_primal`,
`approximate_primal_double`, `infeasibility`.
"""

from sympy import Rational

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Gt, Le
from ..theorem import Provenance, Source, Theorem
from .foundations import (
    DOUBLE_PENALTY,
    FEASIBLE,
    INFEASIBLE,
    ONE_COST,
    ORDERED,
    PENALTY,
    SLATER,
    P_star,
)

_BECK = "Beck 2017, First-Order Methods in Optimization"

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

Lambda = Quantity(
    "Lambda",
    "sum of the optimal multipliers",
    Domain.NONNEGATIVE,
    r"\|\lambda^\star\|_1",
    program=(r"\lambda^\star\in\arg\min_{\lambda\ge 0}\max_\pi\ J_r(\pi)-\lambda^\top(J_c(\pi)-d)"),
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

v_low = Quantity(
    "v_0",
    "optimal value at the smaller budgets",
    latex="v(d_0)",
    program=r"\max_\pi J_r(\pi)\quad\text{subject to}\quad J_{c}(\pi)\le d_0",
)
v_high = Quantity(
    "v_1",
    "optimal value at the larger budgets",
    latex="v(d_1)",
    program=r"\max_\pi J_r(\pi)\quad\text{subject to}\quad J_{c}(\pi)\le d_1",
)
v_middle = Quantity(
    "v_mid",
    "optimal value half-way",
    latex=r"v(\tfrac{d_0+d_1}{2})",
    program=r"\max_\pi J_r(\pi)\quad\text{subject to}\quad J_{c}(\pi)\le \tfrac{d_0+d_1}{2}",
)
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
lam = Quantity(
    "lam",
    "optimal multiplier",
    Domain.NONNEGATIVE,
    r"\lambda^\star",
    program=(r"\lambda^\star\in\arg\min_{\lambda\ge 0}\max_\pi\ J_r(\pi)-\lambda^\top(J_c(\pi)-d)"),
)
approximate_primal = Theorem(
    label="cmdp/approximate-primal",
    title="Small penalised suboptimality means small violation",
    relation=Le(violation, delta / (penalty - lam)),
    source=Source(_BECK, "the inequality behind Theorem 3.60", Provenance.RECALLED),
    given=(FEASIBLE, ONE_COST, PENALTY),
    proof="v(d + tau) <= P* + lambda* tau with tau the violation.",
    uses=("cmdp/perturbation",),
)
approximate_primal_double = Theorem(
    label="cmdp/approximate-primal-double",
    title="With twice the multiplier as penalty, the violation is at most 2 delta / C",
    relation=Le(violation, 2 * delta / penalty),
    source=Source(_BECK, "Theorem 3.60", Provenance.RECALLED),
    given=(FEASIBLE, ONE_COST, DOUBLE_PENALTY),
    proof="C - lambda* >= C / 2.",
    uses=("cmdp/approximate-primal",),
)

J_scalar = Quantity(
    "J_min", "least multiplier-weighted cost over all policies", latex=r"\min_\pi\lambda^\top J_c"
)
t_star = Quantity(
    "t_star",
    "smallest uniform increase of the budgets",
    Domain.POSITIVE,
    r"t^\star",
    program=(r"\min_{t,\pi}\ t\quad\text{subject to}\quad J_{c_i}(\pi)\le d_i+t\text{ for all }i"),
)
lam_sum = Quantity("lam_sum", "sum of the weights", Domain.NONNEGATIVE, r"\|\lambda\|_1")
infeasibility = Theorem(
    label="cmdp/infeasibility",
    title="Infeasibility is a scalarised cost that no policy can afford",
    relation=Both(Gt(J_scalar, lam_d), Eq(t_star, J_scalar - lam_d), Eq(lam_sum, 1)),
    source=Source(
        "Farkas 1902",
        "the lemma behind the first part; the others are its program's duality",
        Provenance.RECALLED,
    ),
    given=(INFEASIBLE,),
    proof="The multipliers (summing to one) are the dual of: minimise t with J_ci - t <= d_i.",
    uses=("cmdp/strong-duality",),
)
