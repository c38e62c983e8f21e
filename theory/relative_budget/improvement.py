r"""One step of improvement: how much better a policy near the base can be, from how many samples.

:math:`b` is the base policy, R the reward of a trajectory in :math:`[0,H]`, J and
:math:`\sigma^2` its mean and variance under b, and :math:`c` the probability under b that
:math:`R\ge J+\sigma\sqrt\kappa`.

Main results: `chi_square`, `linear_tilt`, `conditioning`, `variance_bound_sharper`,
`version_space`, `one_step`.
"""

from sympy import log, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le, Lt
from ..theorem import Assumption, Provenance, Sharp, Source, Theorem

PAPER = "Wachi, Kinoshita, Takakura, Higuchi, Suzuki 2026 (relative budget)"
PARENT = "Setlur, Rajaraman, Levine, Kumar 2025"
OURS = Source("holdfast", f"for the setting of {PAPER}", Provenance.DERIVED)

gain = Quantity("gain", "J(pi) - J(b), un-normalised", latex=r"J(\pi)-J(b)")
divergence = Quantity(
    "chi2", "chi^2 divergence of pi from b", Domain.NONNEGATIVE, r"\chi^2(\pi\|b)"
)
variance = Quantity("variance", "variance of R under b", Domain.NONNEGATIVE, r"\sigma^2")
chi_square = Theorem(
    label="improvement/chi-square",
    title="A policy gains at most the root of its divergence times the deviation",
    relation=Le(gain, sqrt(divergence * variance)),
    source=OURS,
    proof="J(pi) - J(b) = E_b (dpi/db - 1)(R - J); Cauchy and Schwarz.",
    remark="Attained where dpi/db - 1 is in proportion to R - J.",
)

kappa = Quantity("kappa", "radius of the ball chi^2 <= kappa", Domain.POSITIVE, r"\kappa")
J = Quantity("J", "mean of R under b, un-normalised", Domain.NONNEGATIVE, "J")
best = Quantity(
    "best",
    "largest J within chi^2 <= kappa",
    Domain.NONNEGATIVE,
    r"J(\bar\pi_\kappa)",
    program=r"\max_\pi\mathbb E_\pi R\quad\text{subject to}\quad \chi^2(\pi\|b)\le\kappa",
)
best_in_ball = Theorem(
    label="improvement/best-in-ball",
    title="No policy of the ball gains more than sqrt(kappa) deviations",
    relation=Le(best, J + sqrt(kappa * variance)),
    source=OURS,
    proof="improvement/chi-square.",
    uses=("improvement/chi-square",),
)
LINEAR = Assumption("linear", "sqrt(kappa) (J - min R) <= sigma.")
linear_tilt = Theorem(
    label="improvement/linear-tilt",
    title="Where the tilt 1 + sqrt(kappa) (R - J)/sigma is a density, it gains that much",
    relation=Eq(best, J + sqrt(kappa * variance)),
    source=OURS,
    given=(LINEAR,),
    proof="Its divergence is kappa and it gains sqrt(kappa) sigma.",
    uses=("improvement/best-in-ball",),
    remark="Only there: else the best density is in proportion to (R - nu)_+.",
)

J_A = Quantity("J_A", "mean of R under b given R >= J + sigma sqrt(kappa)", Domain.NONNEGATIVE)
density = Quantity("density", "largest density of that policy against b", Domain.POSITIVE)
c = Quantity("c", "Pr[R >= J + sigma sqrt(kappa)] under b", Domain.PROBABILITY, "c")
POSITIVE = Assumption("positive", "c > 0.")
conditioning = Theorem(
    label="improvement/conditioning",
    title="The base given its good trajectories is as good as any policy of the ball",
    relation=Both(Ge(J_A, J + sqrt(kappa * variance)), Ge(J_A, best), Eq(density, 1 / c)),
    source=OURS,
    given=(POSITIVE,),
    proof="Each of its rewards is at least J + sigma sqrt(kappa); improvement/best-in-ball.",
    uses=("improvement/best-in-ball",),
)
VARIED = Assumption("varied", "sigma > 0.")
cantelli = Theorem(
    label="improvement/cantelli",
    title="The larger kappa, the rarer the good trajectories",
    relation=Le(c, 1 / (1 + kappa)),
    source=OURS,
    given=(VARIED,),
    proof="Cantelli's inequality.",
    remark="Attained by two rewards. Where all rewards agree, all are good, and c = 1.",
    sharp=(Sharp("1", "Attained by two rewards."),),
)

share = Quantity("s2", "s^2, variance of R over H^2", Domain.NONNEGATIVE, "s^2")
SMALL = Assumption("small-kappa", "sqrt(kappa) < s/2.")
variance_bound = Theorem(
    label="improvement/variance-bound",
    title="A large deviation implies that good trajectories are not rare",
    relation=Ge(c, sqrt(share) * (sqrt(share) / 2 - sqrt(kappa))),
    source=OURS,
    given=(SMALL,),
    proof="E (R - J)_+ >= sigma^2/(2H), and E (R - J)_+ <= t + H Pr[R - J >= t], t = sigma "
    "sqrt(kappa).",
    remark="Loose: improvement/variance-bound-sharper.",
)
WITHIN = Assumption("within", "kappa <= s^2.")
variance_bound_sharper = Theorem(
    label="improvement/variance-bound-sharper",
    title="In a small ball good trajectories have at least the probability s^2",
    relation=Ge(c, share),
    source=OURS,
    given=(WITHIN,),
    proof=(
        "With H = 1, D = R - J, y = s sqrt(kappa), e and f the means of D on 0 < D < y and on "
        "D >= y: E D^2 <= J (e + f) + y e + (1 - J) f, and f <= (1 - J) c. Pr[D < 0] >= (e + f)/J, "
        "so e <= y (1 - c - (e + f)/J) and (J + y) e <= J y. Hence s^2 <= (1 - J) c + J y, "
        "and y <= s^2."
    ),
    remark="Nearly attained by rewards 0 and H, the latter rare.",
    sharp=(Sharp("1", "Rewards 0 and H, the latter ever rarer."),),
)

gap = Quantity(
    "gap", "what J(pi_A) exceeds J of the maximin policy by, except with probability delta",
    latex=r"[J(\pi_A)-J(\hat\pi)]_\delta",
)  # fmt: skip
H = Quantity("H", "horizon, the largest reward there may be", Domain.POSITIVE, "H")
size = Quantity("size", "number of rewards in the class", Domain.TRIALS, r"|\mathcal R|")
delta = Quantity("delta", "probability of failure that is allowed", Domain.PROBABILITY, r"\delta")
n = Quantity("n", "number of samples", Domain.TRIALS, "n")
REALISABLE = Assumption("realisable", "R is in the class, and all its rewards lie in [0, H].")
NOISELESS = Assumption("independent", "The samples are independent draws of b, with their rewards.")
version_space = Theorem(
    label="improvement/version-space",
    title="The best policy in the worst case of what the samples leave misses little",
    relation=Le(gap, H * log(size / delta) / (c * n)),
    source=Source(PAPER, "Theorem 5.2, with the constant 1, ours", Provenance.RECALLED),
    given=(POSITIVE, REALISABLE, NOISELESS),
    proof=(
        "Union bound: except with probability delta each r that is left differs from R with "
        "probability at most log(|R|/delta)/n under b, so at most 1/c times that under pi_A."
    ),
    uses=("improvement/conditioning",),
    remark=(
        "Policies of density at most 1/c. J of the best policy of the ball exceeds J(pi_A) by "
        "nothing, so the bound holds against it as well."
    ),
    sharp=(Sharp("1", "Rare good trajectories, and a probability of failure that tends to 0."),),
)
insufficient = Quantity(
    "insufficient", "the most samples after which J of the maximin policy is below J + sigma "
    "sqrt(kappa)/2 with probability above delta", Domain.COUNT,
)  # fmt: skip
one_step = Theorem(
    label="improvement/one-step",
    title="So many samples give half of what the ball offers",
    relation=Lt(insufficient, 2 * H * log(size / delta) / (sqrt(kappa * variance) * c)),
    source=Source(PAPER, "Theorem 6.2, with the constant 1, ours", Provenance.RECALLED),
    given=(POSITIVE, VARIED, REALISABLE, NOISELESS),
    proof="improvement/version-space with a gap of sigma sqrt(kappa)/2, improvement/conditioning.",
    uses=("improvement/version-space", "improvement/conditioning"),
    remark="Iterated, with delta/i^2 at step i, it is the online version.",
)
