r"""What is lost by looking for the best policy in a class: stationary, deterministic, parametrised.

Notation.  ``J_r`` and ``J_c`` are UN-normalised; with two discounts the reward has gamma and the
cost gamma_c.  ``P*`` is the largest J_r with J_c <= d over all policies, history-dependent and
randomised ones included.  V^c is the value of the cheapest policy (the best of the cheapest ones).

Main results: `zero_gap`, `policy_loss`, `policy_loss_signed`, `parametrised_gap`.
"""

from sympy import Abs

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Sharp, Source, Theorem
from .foundations import FEASIBLE, ONE_COST, gamma

BOUNDED = Assumption("bounded-reward", "Rewards lie in [0, B].")
BOUNDED_BOTH = Assumption("bounded", "Rewards lie in [0, B_r], costs in [0, B_c].")
MEETS = Assumption("meets-budget", "The stationary policy meets the budget.")
TIGHTENED = Assumption(
    "tightened", "The budget can be met after being lowered by B_c epsilon/(2 (1 - gamma)^2)."
)
UNIVERSAL = Assumption(
    "universal", "The class has a policy within epsilon of every policy, in l1 in every state."
)

_SHWARTZ = "Feinberg and Shwartz 1996"
_PATERNAIN = "Paternain et al. 2019"

sup_min = Quantity(
    "sup_min",
    "sup over policies of min over multipliers of L",
    latex=r"P^\star",
    program=r"\sup_\pi\min_{\lambda\ge 0}\ J_r(\pi)-\lambda(J_c(\pi)-d)",
)
min_sup = Quantity(
    "min_sup",
    "min over multipliers of sup over policies of L",
    latex=r"D^\star",
    program=r"\min_{\lambda\ge 0}\sup_\pi\ J_r(\pi)-\lambda(J_c(\pi)-d)",
)
D_deterministic = Quantity(
    "D_det",
    "min over multipliers of max over deterministic policies",
    latex=r"D_{\rm det}",
    program=r"\min_{\lambda\ge 0}\max_{\pi\in\Pi_{\rm det}}J_r(\pi)-\lambda(J_c(\pi)-d)",
)
P_deterministic = Quantity(
    "P_det",
    "return of the best deterministic policy that is feasible",
    latex=r"P_{\rm det}",
    program=r"\max_{\pi\in\Pi_{\rm det}}J_r(\pi)\quad\text{subject to}\quad J_c(\pi)\le d",
)
zero_gap = Theorem(
    label="policy-classes/zero-gap",
    title="No duality gap over all policies; over deterministic ones the dual sees the mixtures",
    relation=Both(
        Eq(sup_min, min_sup), Eq(D_deterministic, min_sup), Le(P_deterministic, D_deterministic)
    ),
    source=Source(_PATERNAIN, "Theorem 1", Provenance.RECALLED),
    given=(ONE_COST, FEASIBLE),
    proof=(
        "Returns of all policies fill a polytope whose vertices are deterministic policies; the "
        "Lagrangian is linear on it."
    ),
    uses=("cmdp/strong-duality", "cmdp/vertices"),
    remark="L = J_r - lambda (J_c - d). In a finite model Slater's condition is not needed.",
)

J_one = Quantity("J", "return of a policy", latex=r"J(\pi)")
J_other = Quantity("J_other", "return of another one", latex=r"J(\pi')")
B_reward = Quantity("B", "bound on the reward", Domain.NONNEGATIVE, "B")
epsilon = Quantity(
    "epsilon",
    "largest l1 distance of the policies over the states",
    Domain.NONNEGATIVE,
    r"\varepsilon",
)
policy_loss = Theorem(
    label="policy-classes/policy-loss",
    title="What a nearby policy loses, rewards in [0, B]",
    relation=Le(Abs(J_one - J_other), B_reward * epsilon / 2 / (1 - gamma) ** 2),
    source=Source(_PATERNAIN, "Lemma on universal classes, un-normalised", Provenance.DERIVED),
    given=(BOUNDED,),
    proof=(
        "Performance difference: Q has span B/(1 - gamma), the policies differ by epsilon/2 in "
        "total variation, and the occupancy has mass 1/(1 - gamma)."
    ),
    uses=("trust-region/performance-difference",),
    remark="Sharp: a leak of probability epsilon/2 as epsilon tends to 0.",
    sharp=(Sharp("1/2", "A leak of probability epsilon/2 as epsilon tends to 0."),),
)

B_signed = Quantity("B", "bound on the absolute reward", Domain.NONNEGATIVE, "B")
BOUNDED_SIGNED = Assumption("bounded-absolute-reward", "Rewards lie in [-B, B].")
policy_loss_signed = Theorem(
    label="policy-classes/policy-loss-signed",
    title="What a nearby policy loses, rewards in [-B, B]",
    relation=Le(Abs(J_one - J_other), B_signed * epsilon / (1 - gamma) ** 2),
    source=Source(_PATERNAIN, "Lemma on universal classes, un-normalised", Provenance.DERIVED),
    given=(BOUNDED_SIGNED,),
    proof="Add B to every reward: the returns of all policies move alike, and the range is 2 B.",
    uses=("policy-classes/policy-loss",),
)

P_paid = Quantity(
    "P_star",
    "optimal value, rewards >= 0",
    Domain.NONNEGATIVE,
    r"P^\star",
    program=r"\max_\pi J_r(\pi)\quad\text{subject to}\quad J_c(\pi)\le d",
)
D_class = Quantity(
    "D_class",
    "dual value of the class, rewards >= 0",
    Domain.NONNEGATIVE,
    r"D_\theta^\star",
    program=r"\min_{\lambda\ge 0}\max_\theta\ J_r(\pi_\theta)-\lambda(J_c(\pi_\theta)-d)",
)
B_r = Quantity("B_r", "bound on the reward", Domain.NONNEGATIVE, "B_r")
B_c = Quantity("B_c", "bound on the cost", Domain.NONNEGATIVE, "B_c")
lam_tight = Quantity(
    "lam_tight", "multiplier of the tightened problem", Domain.NONNEGATIVE, r"\lambda_\varepsilon"
)
parametrised_gap = Theorem(
    label="policy-classes/parametrised-gap",
    title="The dual value of a class that comes close to every policy",
    relation=Both(
        Le(D_class, P_paid),
        Ge(D_class, P_paid - (B_r + lam_tight * B_c) * epsilon / 2 / (1 - gamma) ** 2),
    ),
    source=Source(_PATERNAIN, "Theorem 2, with explicit constants", Provenance.DERIVED),
    given=(ONE_COST, BOUNDED_BOTH, TIGHTENED, UNIVERSAL),
    proof=(
        "Each Lagrangian value of the class is below that of all policies by at most (B_r + lambda "
        "B_c) kappa; so the dual is at least the optimum of the tightened problem less B_r kappa, "
        "and the tightening costs at most lambda_epsilon B_c kappa."
    ),
    uses=("policy-classes/policy-loss", "policy-classes/zero-gap", "cmdp/perturbation"),
    remark="kappa = epsilon/(2 (1 - gamma)^2) for UN-normalised returns.",
)
