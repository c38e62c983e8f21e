r"""How the relative budget grows when a policy is improved again and again, for Gamma lengths.

At step i the length is Gamma of shape K, :math:`\xi_i` is the budget of the *current* policy
(:math:`\xi_{base}` that of the first one), and J rises by at least
:math:`\sqrt{\kappa_i}\sigma_i/2`.  With the schedule
:math:`\kappa_i=1/(K\xi_i^2)` growth is linear, with a fixed :math:`\kappa` geometric.

Main results: `slope`, `step`, `linear`, `sharper`, `sample_size`, `cumulative`, `fixed_kappa`.
"""

from sympy import Rational, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Ge, Le
from ..theorem import Assumption, Provenance, Source, Theorem
from .improvement import OURS, PAPER, kappa
from .requirement import GAMMA, F_next, K, n, s, xi

slope = Theorem(
    label="growth/slope",
    title="How fast the mean reward rises with the budget, against its deviation",
    relation=Both(Le(F_next, sqrt(K) * xi * s), Le(sqrt(K) * xi * s, 1)),
    source=OURS,
    given=(GAMMA,),
    proof=(
        "For a Gamma law of rate p and mean mu, Cov(T, f(T)) = E T f'(T)/p; with f(T) = min(T, H) "
        "it is Var(T) F_{K+1}(K xi), and at most std(T) std(min(T, H)) = std(T)^2 sqrt(K) xi s."
    ),
    remark="dg/dxi = F_{K+1}(K xi)/xi^2, so dg/dxi <= sqrt(K) s/xi.",
)

SCHEDULE = Assumption(
    "schedule", "kappa = 1/(K xi^2), and J rises by at least sigma sqrt(kappa)/2."
)
xi_next = Quantity("xi_next", "relative budget after the step", Domain.POSITIVE, r"\xi_{i+1}")
step = Theorem(
    label="growth/step",
    title="With the schedule a step adds nearly 1/(2K) to the budget",
    relation=Ge(xi_next - xi, sqrt(K) * xi * s / (2 * K)),
    source=Source(PAPER, "Theorem 6.4, one step; schedule and constant ours", Provenance.RECALLED),
    given=(GAMMA, SCHEDULE),
    proof="dg/dxi <= 1/xi^2, so 1/xi_i - 1/xi_{i+1} >= sqrt(kappa) s/2.",
)
i = Quantity("i", "number of steps", Domain.COUNT, "i")
grown = Quantity("grown", "xi_i - xi_base", Domain.NONNEGATIVE, r"\xi_i-\xi_{base}")
deficit = Quantity(
    "deficit", "C_i, the sum of (1 - sqrt(K) xi_j s_j)/(2K) over j < i", Domain.REAL, "C_i"
)
F_base = Quantity("F_base", "F_{K+1}(K xi_base)", Domain.PROBABILITY, r"F_{K+1}(K\xi_{base})")
linear = Theorem(
    label="growth/linear",
    title="The budget grows linearly, up to a constant",
    relation=Both(
        Ge(grown, i / (2 * K) - deficit),
        Ge(deficit, 0),
        Le(K * F_base * deficit, K + Rational(3, 2)),
    ),
    source=Source(PAPER, "Theorem 6.4; schedule and constant ours", Provenance.RECALLED),
    given=(GAMMA, SCHEDULE),
    proof=(
        "growth/step summed up. By growth/slope a term of C_i is at most Q(K xi_j)/(2K), with Q = "
        "1 - F_{K+1}, which falls, and budgets are F_{K+1}(K xi_base)/(2K) apart or more: the sum "
        "is at most 1/(2K), as the first term, and 1/F_{K+1}(K xi_base) times the integral of "
        "Q(K xi) over all xi > 0, (K + 1)/K."
    ),
    uses=("growth/step", "growth/slope"),
    remark="That it is linear is a consequence of the schedule: see growth/fixed-kappa.",
)
FALLING = Assumption("falling", "dg/dxi does not rise on the step, as for K <= 1 or large xi.")
sharper = Theorem(
    label="growth/sharper",
    title="With the schedule a step adds at least 1/(2K)",
    relation=Ge(xi_next - xi, 1 / (2 * K)),
    source=OURS,
    given=(GAMMA, SCHEDULE, FALLING),
    proof="g(xi + 1/(2K)) - g(xi) <= dg/dxi/(2K) <= s/(2 sqrt(K) xi), by growth/slope.",
    uses=("growth/slope",),
)
sharper_rising = Theorem(
    label="growth/sharper-rising",
    title="and as much where the mean reward is convex, as far as was computed",
    relation=Ge(xi_next - xi, 1 / (2 * K)),
    source=OURS,
    given=(GAMMA, SCHEDULE, Assumption("rising", "dg/dxi rises at xi < 6/5; 1 < K <= 40.")),
    proof="None is known to us: computed on drawn budgets.",
)

at_mean = Quantity("at_mean", "F_K(K) = Pr[T <= E T]", Domain.PROBABILITY, "F_K(K)")
sample_size = Theorem(
    label="growth/sample-size",
    title="With the schedule a step needs at least 2 L K xi^2 / F_K(K) samples",
    relation=Ge(n, 2 * K * xi**2 / at_mean),
    source=Source(PAPER, "Theorem 6.4, samples; constant ours", Provenance.RECALLED),
    given=(GAMMA, SCHEDULE),
    proof="sqrt(K) xi s <= 1, and c <= F_K(K xi (1 - g)) <= F_K(K).",
    uses=("growth/slope",),
)
BALANCED = Assumption("balanced", "1 <= xi <= 50, and K is 1, 2, ..., 10.")
window = Theorem(
    label="growth/window",
    title="and at most 23.4 L K xi^2",
    relation=Le(n, 117 * K * xi**2 / 5),
    source=OURS,
    given=(GAMMA, SCHEDULE, BALANCED),
    proof="None: computed on drawn budgets. n/(2 L K xi^2) is largest at xi = 1, K = 1.",
    remark="117/5 = 2 (11.7); n/(2 L K xi^2) is 11.66 at its largest.",
)
total = Quantity("total", "samples of the first i steps, over L", Domain.NONNEGATIVE)
EARLIER = Assumption("first-step", "i >= 1.")
cumulative = Theorem(
    label="growth/cumulative",
    title="The samples of i steps grow like i^3",
    relation=Ge(total, (i - 1) ** 3 / (6 * K * at_mean)),
    source=OURS,
    given=(GAMMA, SCHEDULE, FALLING, EARLIER),
    proof="growth/sample-size with xi_j >= j/(2K), and the sum of j^2 over j < i is at least "
    "(i - 1)^3/3.",
    uses=("growth/sample-size", "growth/sharper"),
)
fixed_kappa = Theorem(
    label="growth/fixed-kappa",
    title="With a fixed kappa the budget grows geometrically",
    relation=Ge(xi_next * (1 - sqrt(kappa) * xi * s / 2), xi),
    source=OURS,
    given=(GAMMA, Assumption("fixed", "J rises by at least sigma sqrt(kappa)/2, kappa < 4 K.")),
    proof="1/xi_i - 1/xi_{i+1} >= sqrt(kappa) s/2, as in growth/step.",
    remark="sqrt(K) xi s tends to 1, so xi_{i+1}/xi_i to 1/(1 - sqrt(kappa/K)/2).",
)
