r"""How far a process may be from its posterior, at all targets and times at once.

:math:`\mu_t,\sigma_t` are mean and deviation after t observations with noise variance
:math:`\nu^2`, of n targets.  Bayesian statements draw f from the prior; the others fix f.

Main results: `bayesian`, `one_sided`, `exact_tails`, `regret`, `error_split`, `determinant`,
`lipschitz`.
"""

from sympy import Rational, exp, log, sqrt

from ..quantities import Domain, Quantity
from ..relations import Le
from ..theorem import Assumption, Provenance, Source, Theorem

PLS = "Wachi, Miyaguchi, Tanabe, Sato, Akimoto 2025 (PLS)"
SRINIVAS = "Srinivas, Krause, Kakade, Seeger 2010"
PRIOR = Assumption("prior", "f is drawn from the Gaussian process of known mean and kernel.")
NOISE = Assumption("noise", "The noise is independent and Gaussian, of the known variance.")
PREDICTABLE = Assumption("predictable", "Each target depends on earlier data alone.")

failure = Quantity(
    "failure",
    "probability of |f - mu_{j-1}| > alpha_j sigma_{j-1} somewhere; alpha_j^2 = alpha^2 + 4 log j",
    Domain.PROBABILITY,
    r"\Pr(\exists j,z:|f-\mu_{j-1}|>\alpha_j\sigma_{j-1})",
)  # fmt: skip
above = Quantity(
    "above", "probability that f - mu_{j-1} > alpha_j sigma_{j-1} for some j and target",
    Domain.PROBABILITY, r"\Pr(\exists j,z:f-\mu_{j-1}>\alpha_j\sigma_{j-1})",
)  # fmt: skip
constant = Quantity("constant", "the same with alpha_j = alpha at all j", Domain.PROBABILITY)
n_targets = Quantity("n", "number of targets", Domain.TRIALS, "n")
squares_sum = Quantity("zeta", "sum of 1/j^2, pi^2/6", Domain.POSITIVE, r"\frac{\pi^2}{6}")
alpha = Quantity("alpha", "first multiplier, alpha_1", Domain.NONNEGATIVE, r"\alpha")
bayesian = Theorem(
    label="confidence/bayesian",
    title="A drawn process stays within alpha_j posterior deviations at all targets and times",
    relation=Le(failure, n_targets * squares_sum * exp(-(alpha**2) / 2)),
    source=Source(PLS, f"Lemma 7, from its multiplier; {SRINIVAS}, 5.1", Provenance.DERIVED),
    given=(PRIOR, NOISE, PREDICTABLE),
    proof="Given the data f(z) is Gaussian; Pr(|Z| > c) <= exp(-c^2/2) and a union over z and j.",
    trivial=Rational(1),
    remark=(
        "Solved for Delta, the right side: alpha_j = sqrt(2 log(n j^2 pi^2 / (6 Delta))) as "
        "printed; the display was not legible. The tails leave a factor, confidence/exact-tails."
    ),
)
one_sided = Theorem(
    label="confidence/one-sided",
    title="On one side alone half of it is enough",
    relation=Le(above, n_targets * squares_sum * exp(-(alpha**2) / 2) / 2),
    source=Source("holdfast", "sharpens confidence/bayesian", Provenance.DERIVED),
    given=(PRIOR, NOISE, PREDICTABLE),
    proof="Pr(Z > c) <= exp(-c^2/2)/2 for c >= 0.",
    trivial=Rational(1),
    remark="So alpha_j = sqrt(2 log(n j^2 pi^2 / (12 Delta))) will do.",
)
tails = Quantity(
    "tails", "sum over j of Pr(|Z| > alpha_j)", Domain.NONNEGATIVE, r"\sum_j\Pr(|Z|>\alpha_j)"
)
exact_tails = Theorem(
    label="confidence/exact-tails",
    title="The exact Gaussian tails, in the place of their bound, are enough",
    relation=Le(failure, n_targets * tails),
    source=Source("holdfast", "sharpens confidence/bayesian", Provenance.DERIVED),
    given=(PRIOR, NOISE, PREDICTABLE),
    proof="The same union, with Pr(|Z| > alpha_j) itself. Equal for one target at one time.",
    trivial=Rational(1),
)

regrets = Quantity("regrets", "sum of r_t^2", Domain.NONNEGATIVE, r"\sum_tr_t^2")
k_largest = Quantity("k_max", "largest prior variance", Domain.POSITIVE, r"k_{\max}")
noise = Quantity("noise", "noise variance", Domain.POSITIVE, r"\nu^2")
determinant_t = Quantity(
    "det", "det(I + K_t / nu^2), exp(2 I)", Domain.POSITIVE, r"\det(I+\nu^{-2}K_t)"
)
regret = Theorem(
    label="confidence/regret",
    title="On the event, choosing the largest upper bound has small regret",
    relation=Le(
        regrets, 4 * alpha**2 * k_largest * log(determinant_t) / log(1 + k_largest / noise)
    ),
    source=Source(PLS, f"Lemma 8; {SRINIVAS}, Lemmas 5.2 to 5.4, for k <= 1", Provenance.DERIVED),
    given=(
        Assumption("event", "|f - mu_{t-1}| <= alpha sigma_{t-1} at all targets and times."),
        Assumption("optimistic", "x_t maximises mu_{t-1} + alpha sigma_{t-1}."),
    ),
    proof="r_t <= 2 alpha sigma_{t-1}(x_t), and information-gain/variances.",
    uses=("information-gain/variances",),
    remark="Pathwise; alpha may be the largest alpha_j. For k_max = 1 it is 1/log(1 + nu^-2).",
)

NORM = Assumption("norm", "f is fixed, of norm at most B in the kernel's space.")
SUBGAUSSIAN = Assumption("sub-gaussian", "The noise is R-sub-Gaussian given the past.")
error = Quantity("error", "|f - mu_t| at a target", Domain.NONNEGATIVE, r"|f-\mu_t|")
variance = Quantity("variance", "sigma_t^2 there", Domain.NONNEGATIVE, r"\sigma_t^2")
norm_square = Quantity("B2", "B^2, the squared norm of f", Domain.NONNEGATIVE, "B^2")
noise_square = Quantity(
    "S2", "w' K (K + lambda I)^-1 w of the noise w", Domain.NONNEGATIVE, r"\|S_t\|^2_{V_t^{-1}}"
)
regulariser = Quantity("lambda", "regulariser", Domain.POSITIVE, r"\lambda")
error_split = Theorem(
    label="confidence/error-split",
    title="The error is at most the norm's share and the noise's share of the deviation",
    relation=Le(error, sqrt(variance) * (sqrt(norm_square) + sqrt(noise_square / regulariser))),
    source=Source("holdfast", "the deterministic half of the proof", Provenance.DERIVED),
    given=(NORM,),
    proof="f - mu_t = lambda <phi, V^-1 f> - <phi, V^-1 S>; Cauchy and Schwarz under V^-1.",
)
misses = Quantity(
    "misses",
    "probability of |f - mu_t| > (B + R sqrt((2 log 1/delta + log det)/lambda)) sigma_t somewhere",
    Domain.PROBABILITY,
    r"\Pr(\exists t,z:|f-\mu_t|>\beta_t\sigma_t)",
)  # fmt: skip
delta = Quantity("delta", "allowed probability", Domain.PROBABILITY, r"\delta")
changed = Quantity("changed", "the same with another multiplier", Domain.PROBABILITY)
determinant = Theorem(
    label="confidence/determinant",
    title="A fixed function of norm B stays within beta_t deviations, by the determinant",
    relation=Le(misses, delta),
    source=Source(
        "Abbasi-Yadkori 2013; Durand, Maillard, Pineau 2018; Fiedler et al. 2024",
        "determinant form",
        Provenance.RECALLED,
    ),
    given=(NORM, SUBGAUSSIAN, PREDICTABLE),
    proof="The self-normalised bound for S_t, then confidence/error-split. The design may know f.",
    uses=("confidence/error-split",),
    trivial=Rational(1),
)

too_steep = Quantity(
    "steep",
    "probability that |f(z) - f(z')| > L d(z, z') for two targets, L = c max s(z, z') / d(z, z')",
    Domain.PROBABILITY, r"\Pr(\exists z\ne z':|f(z)-f(z')|>Ld(z,z'))",
)  # fmt: skip
slope = Quantity("c", "L over the steepest standardised slope", Domain.NONNEGATIVE, "c")
lipschitz = Theorem(
    label="confidence/lipschitz",
    title="A drawn process has a Lipschitz constant on the grid that is known beforehand",
    relation=Le(too_steep, n_targets * (n_targets - 1) * exp(-(slope**2) / 2) / 2),
    source=Source("holdfast", "for the rules that need L", Provenance.DERIVED),
    given=(PRIOR,),
    proof="f(z) - f(z') is Gaussian of variance s^2 = k + k' - 2 k(z, z'); union over pairs.",
    trivial=Rational(1),
    remark="Solved for L: c = sqrt(2 log(n (n - 1) / (2 Delta_L))).",
)
