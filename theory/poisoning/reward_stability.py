"""How far a learnt reward can move when labels do.

Notation as in `reward_learning`.

Main results: `stability`, `policy_stability`, `rounding_stability`, `nearness`.
"""

from sympy import sqrt

from ..quantities import Domain, Quantity
from ..relations import Le
from ..theorem import Provenance, Sharp, Source, Theorem
from .least_cost import PAPER
from .vertices import m_copies

distance = Quantity(
    "distance",
    "Euclidean distance of the ridge minimisers",
    Domain.NONNEGATIVE,
    r"\|\hat r(\theta)-\hat r(\theta')\|_2",
)
moment_gap = Quantity(
    "moment_gap",
    "norm of Phi D (theta - theta')",
    Domain.POSITIVE,
    r"\|\Phi D(\theta-\theta')\|_2",
)
ridge = Quantity("ridge", "the ridge lambda", Domain.POSITIVE, r"\lambda")
stability = Theorem(
    label="reward-learning/stability",
    title="The ridge minimiser moves by at most 1/lambda times the moments",
    relation=Le(distance, moment_gap / ridge),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    proof="The ridge loss is lambda-strongly convex, and the gradients differ by a constant.",
    uses=("reward-learning/sufficient-statistic",),
    remark=(
        "No smaller constant: with features of norm epsilon the curvature of the loss itself is "
        "O(epsilon^2), and the ratio tends to 1."
    ),
    sharp=(
        Sharp("1", "With features of norm epsilon the ratio tends to one as epsilon vanishes."),
    ),
)

log_ratio_gap = Quantity(
    "log_ratio_gap",
    "difference of the log-ratio of two answers between the two policies",
    Domain.NONNEGATIVE,
    r"\Delta\log\frac{\pi(y|x)}{\pi(y'|x)}",
)
length = Quantity(
    "length", "norm of phi(x, y) - phi(x, y')", Domain.POSITIVE, r"\|\phi(x,y)-\phi(x,y')\|_2"
)
tau = Quantity("tau", "temperature of the policy", Domain.POSITIVE, r"\tau")
policy_stability = Theorem(
    label="reward-learning/policy-stability",
    title="The policy's log-ratios move by at most length times moments over lambda tau",
    relation=Le(log_ratio_gap, length * moment_gap / (ridge * tau)),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    proof="The log-ratio is (r.phi(x, y) - r.phi(x, y'))/tau plus that of the reference policy.",
    uses=("reward-learning/stability",),
)

n_moved = Quantity("k", "labels that are not multiples of 1/m", Domain.COUNT, "k")
longest = Quantity(
    "longest",
    "largest sum of squares of rho_i times a column of Phi",
    Domain.NONNEGATIVE,
    r"\max_i\|\rho_i\varphi_i\|_2^2",
)
rounding_stability = Theorem(
    label="reward-learning/rounding-stability",
    title="Rounding k labels to m copies moves the ridge minimiser by O(k/(m lambda)) only",
    relation=Le(distance, n_moved * sqrt(longest) / (2 * m_copies * ridge)),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    proof="Each of the k labels moves by at most 1/(2m), and the moments by that times phi_i.",
    uses=("reward-learning/stability",),
    remark="At a vertex of the cheapest labels k is at most the rank of Phi.",
)

distance_heads = Quantity(
    "distance_heads", "Euclidean distance of two rewards", Domain.NONNEGATIVE, r"\|r-r'\|_2"
)
moment_distance = Quantity(
    "moment_distance",
    "norm of Phi D (theta - theta')",
    Domain.NONNEGATIVE,
    r"\|\Phi D(\theta-\theta')\|_2",
)
slope_first = Quantity(
    "slope_first",
    "norm of the gradient of the first labels' ridge loss at the first reward",
    Domain.NONNEGATIVE,
    r"\|\nabla L_\lambda(r;\theta)\|_2",
)
slope_second = Quantity(
    "slope_second",
    "norm of the gradient of the second labels' ridge loss at the second reward",
    Domain.NONNEGATIVE,
    r"\|\nabla L_\lambda(r';\theta')\|_2",
)
nearness = Theorem(
    label="reward-learning/nearness",
    title="Two rewards are as near as moments and gradients say, whatever learnt them",
    relation=Le(distance_heads, (moment_distance + slope_first + slope_second) / ridge),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    proof=(
        "The gradient of the ridge loss is lambda-strongly monotone, and at one reward those of "
        "two labellings differ by the difference of their moments."
    ),
    uses=("reward-learning/stability",),
    remark=(
        "For trained rewards: one that was stopped early has a larger gradient and a looser bound. "
        "The features are those of a frozen trunk, the same for both."
    ),
)
