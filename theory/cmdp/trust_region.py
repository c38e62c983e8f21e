r"""Trust-region bounds: how much a policy's return can move when the policy moves.

Notation.  ``d^pi = (1 - gamma) sum_t gamma^t Pr(s_t = s)`` is normalised, returns J are not,
TV is half the l1 distance, ``A`` the advantage.  For f: S -> R,
``delta_f(s, a, s') = r + gamma f(s') - f(s)``, ``bar delta(s) = E_{a ~ pi'} delta_f`` and
``L = E_{d^pi, pi}[(pi'/pi - 1) delta_f]``.

Main results: `performance_difference`, `occupancy_shift`, `policy_bound`, `span_bound`, `kl_bound`,
`worst_case_drop`, `worst_case_violation`.
"""

from sympy import Abs, Rational, sqrt

from ..quantities import Domain, Quantity
from ..relations import Eq, Ge, Le
from ..theorem import Assumption, Provenance, Sharp, Source, Theorem
from .foundations import gamma

CONTINUOUS = Assumption(
    "continuous", "Wherever the new policy acts, the old one does too (absolute continuity)."
)
IMPROVING = Assumption("improving", "The surrogate advantage L of the new policy is at least 0.")

_CPO = "Achiam, Held, Tamar and Abbeel 2017"

J_old = Quantity("J", "return of the old policy", latex=r"J(\pi)")
J_new = Quantity("J_new", "return of the new policy", latex=r"J(\pi')")
advantage = Quantity(
    "A_bar", "mean advantage of the old policy under the new one", latex=r"\mathbb E_{d',\pi'}A^\pi"
)
performance_difference = Theorem(
    label="trust-region/performance-difference",
    title="Performance difference lemma",
    relation=Eq(J_new - J_old, advantage / (1 - gamma)),
    source=Source("Kakade and Langford 2002", "Lemma 6.1", Provenance.RECALLED),
    proof="Telescope V along trajectories of the new policy.",
)

shift = Quantity(
    "shift", "l1 distance of the state distributions", Domain.NONNEGATIVE, r"\|d'-d\|_1"
)
tv = Quantity(
    "TV",
    "mean total variation of the policies under d",
    Domain.PROBABILITY,
    r"\mathbb E_{d}[D_{\rm TV}]",
)
occupancy_shift = Theorem(
    label="trust-region/occupancy-shift",
    title="State distributions move at most in proportion to the policy",
    relation=Le(shift, 2 * gamma / (1 - gamma) * tv),
    source=Source(_CPO, "Lemma 3", Provenance.READ),
    proof="d' - d = gamma (I - gamma P')^{-1} (P' - P) d, and the inverse has norm 1/(1 - gamma).",
    trivial=Rational(2),
    sharp=(Sharp("gamma/(1 - gamma)", "Attained by a choice between two absorbing states."),),
)

surrogate = Quantity("L", "surrogate advantage", latex=r"L_{\pi,f}(\pi')")
epsilon = Quantity(
    "epsilon", "largest |bar delta| over states", Domain.NONNEGATIVE, r"\epsilon_f^{\pi'}"
)
policy_bound = Theorem(
    label="trust-region/policy-bound",
    title="Constrained policy optimisation: the surrogate errs at most by the policy's move",
    relation=Le(
        Abs(J_new - J_old - surrogate / (1 - gamma)), 2 * gamma * epsilon * tv / (1 - gamma) ** 2
    ),
    source=Source(_CPO, "Theorem 1", Provenance.READ),
    given=(CONTINUOUS,),
    proof="The error is <d' - d, bar delta>/(1 - gamma); Hoelder.",
    uses=("trust-region/occupancy-shift",),
    remark="The constant 2 is sharp: the ratio tends to one on a three-state family.",
    sharp=(
        Sharp(
            "2",
            "Attained by a start that leads to a good and to a bad state.",
        ),
    ),
)

span = Quantity(
    "span", "max - min of bar delta over states", Domain.NONNEGATIVE, r"{\rm span}\,\bar\delta"
)
span_bound = Theorem(
    label="trust-region/span-bound",
    title="The surrogate errs at most by the move, with the span in place of twice the maximum",
    relation=Le(Abs(J_new - J_old - surrogate / (1 - gamma)), gamma * span * tv / (1 - gamma) ** 2),
    source=Source("holdfast", f"sharpens Theorem 1 of {_CPO}", Provenance.DERIVED),
    given=(CONTINUOUS,),
    proof="d' - d has zero mass, so <d' - d, bar delta> <= TV(d', d) span.",
    uses=("trust-region/occupancy-shift", "trust-region/policy-bound"),
    remark="Never weaker than the original, since span <= 2 max.",
    sharp=(Sharp("1", "Attained where trust-region/policy-bound is."),),
)

kl = Quantity(
    "KL", "mean KL divergence of new from old under d", Domain.NONNEGATIVE, r"\overline{\rm KL}"
)
kl_bound = Theorem(
    label="trust-region/kl-bound",
    title="The lower bound in terms of the mean KL divergence",
    relation=Ge(
        J_new - J_old,
        surrogate / (1 - gamma) - 2 * gamma * epsilon / (1 - gamma) ** 2 * sqrt(kl / 2),
    ),
    source=Source(_CPO, "Corollary 3", Provenance.READ),
    given=(CONTINUOUS,),
    proof="Pinsker's inequality and Jensen's.",
    uses=("trust-region/policy-bound",),
)
worst_case_drop = Theorem(
    label="trust-region/worst-case-drop",
    title="A trust-region step cannot lose more than sqrt(2 KL) gamma epsilon / (1 - gamma)^2",
    relation=Ge(J_new - J_old, -sqrt(2 * kl) * gamma * epsilon / (1 - gamma) ** 2),
    source=Source(_CPO, "Proposition 1", Provenance.READ),
    given=(CONTINUOUS, IMPROVING),
    proof="The old policy is in the trust region, so the step has L >= 0.",
    uses=("trust-region/kl-bound",),
)

cost_new = Quantity("cost_new", "cost of the new policy", latex=r"J_C(\pi')")
d_step = Quantity("d_step", "budget met by the linearised cost", latex=r"d")
worst_case_violation = Theorem(
    label="trust-region/worst-case-violation",
    title="A constrained step exceeds its budget at most by sqrt(2 KL) gamma epsilon/(1 - gamma)^2",
    relation=Le(cost_new, d_step + sqrt(2 * kl) * gamma * epsilon / (1 - gamma) ** 2),
    source=Source(_CPO, "Proposition 2", Provenance.READ),
    given=(CONTINUOUS,),
    proof="The upper bound for the cost at a step whose linearised cost meets the budget.",
    uses=("trust-region/kl-bound",),
)
