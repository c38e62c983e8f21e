r"""Inference-aware alignment: the policy is tuned for what best-of-n makes of it (IAMA).

R is the expected reward of the best of n.  The paper was read in abstract and introduction only;
statements are recalled from notes of others, or ours.

Main results: `uniform_response`, `rate`, `unbiased`, `baseline`.
"""

from ..quantities import Domain, Quantity
from ..relations import Eq, Le
from ..theorem import Provenance, Source, Theorem

IAMA = "Takakura, Wachi, Higuchi, Miyaguchi, Suzuki 2026 (IAMA)"
OURS = Source("holdfast", "for best-of-n", Provenance.DERIVED)

rising = Quantity("rising", "N y (1 - F)^(N - 1), in units of its sum with falling")
falling = Quantity("falling", "N (1 - y) F^(N - 1), in the same units")
uniform_response = Theorem(
    label="inference-aware/two-goals",
    title="Two opposed goals are balanced by a policy that spreads",
    relation=Eq(rising, falling),
    source=Source(IAMA, "Proposition 3.1", Provenance.RECALLED),
    proof="With F = y^a/(y^a + (1 - y)^a), a = 1/(N - 1), both terms are equal.",
    remark="On [0, 1] with rewards 1 - y^2, 1 - (1 - y)^2, no KL; uniform for N = 2.",
)

derivative = Quantity("derivative", "mean of the group's derivative given y, less that given y'")
slope = Quantity("slope", "first variation at y less that at y'")
unbiased = Theorem(
    label="inference-aware/unbiased",
    title="All subsets of a group give an unbiased first variation",
    relation=Eq(derivative, slope),
    source=OURS,
    proof="Every n - 1 others are independent draws.",
    uses=("best-of-n/variation",),
)

update = Quantity("update", "mean update of a logit, the group's mean subtracted")
gradient = Quantity("gradient", "derivative of R by the logit")
n = Quantity("n", "responses of which the best is taken", Domain.TRIALS, "n")
M = Quantity("M", "responses of a group", Domain.TRIALS, "M")
baseline = Theorem(
    label="inference-aware/baseline",
    title="A group's mean as baseline shortens the update by 1 - n/M",
    relation=Eq(update, (1 - n / M) * gradient),
    source=OURS,
    proof="Of what another response i is paid, the part (n - 1)/(M - 1) is due to the one at hand.",
    uses=("inference-aware/unbiased",),
    remark="For M = n nothing is left.",
)

gap = Quantity("gap", "loss after T steps less that of a policy")
beta = Quantity("beta", "weight of the KL divergence", Domain.POSITIVE, r"\beta")
far = Quantity("far", "KL(policy | first iterate)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi\|\pi_0)")
growth = Quantity("growth", "((L + beta)/L)^T - 1", Domain.POSITIVE)
rate = Theorem(
    label="inference-aware/rate",
    title="Mirror descent converges at a linear rate",
    relation=Le(gap, beta * far / growth),
    source=Source(IAMA, "Theorem 5.2; here against any policy", Provenance.RECALLED),
    proof="The loss is smooth relative to KL by L, and strongly convex by beta; telescope.",
    uses=("best-of-n/smooth",),
    remark="With the certified L = spread (n - 1)(1 - 1/n)^(n - 1), steps 1/L, and the last loss.",
)
