r"""Best-of-n: the best of n responses of a policy, by a reward; and its soft version.

Notation.  One prompt; F(y) is the probability under the policy of a reward at most r(y), F_below of
a smaller one; ties are broken uniformly.  :math:`R_n` is the expected reward of the best of n; C(t)
the probability of a reward at most t.  The *first variation* says how a value moves with the mass
of each response: its derivative towards another policy is the sum of first variation times change.
The soft version draws a response with weights :math:`w=e^{r/\tau}`.

Main results: `law`, `divergence`, `win_rate`, `gain`, `variation`, `smooth`, `soft_variation`,
`soft_mixture`.
"""

from sympy import Rational, log, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Sharp, Source, Theorem

OURS = Source("holdfast", "for best-of-n", Provenance.DERIVED)
IAMA = "Takakura, Wachi, Higuchi, Miyaguchi, Suzuki 2026 (IAMA)"

n = Quantity("n", "responses that are drawn", Domain.TRIALS, "n")
pi = Quantity("pi", "probability of y under the policy", Domain.POSITIVE, r"\pi(y)")
F = Quantity("F", "probability of a reward at most r(y)", Domain.PROBABILITY, "F(y)")
F_below = Quantity("F_below", "of a reward below r(y)", Domain.PROBABILITY, "F^-(y)")
chosen = Quantity("chosen", "probability that y is the best of n", Domain.PROBABILITY)
R_n = Quantity("R_n", "expected reward of the best of n", latex="R_n")
top = Quantity("top", "largest reward", latex=r"r_{\max}")
below = Quantity("below", "integral of C(t)^n over all rewards", Domain.NONNEGATIVE, r"\int C^n")
law = Theorem(
    label="best-of-n/law",
    title="The law of the best of n, and its expected reward",
    relation=Both(Eq(chosen, pi * (F**n - F_below**n) / (F - F_below)), Eq(R_n, top - below)),
    source=OURS,
    proof="All n are at most r(y), not all are below; those that tie share in proportion.",
)

KL = Quantity("KL", "KL(best of n | policy)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi_n\|\pi)")
TRANSITIVE = Assumption("transitive", "Ties are broken uniformly or by one order of responses.")
divergence = Theorem(
    label="best-of-n/divergence",
    title="Best-of-n is not farther than log n - (n - 1)/n from the policy",
    relation=Le(KL, log(n) - (n - 1) / n),
    source=Source("Beirami et al. 2024", "the formula as a bound; form ours", Provenance.RECALLED),
    given=(TRANSITIVE,),
    proof="It is a function of the largest of n uniform numbers, whose KL from uniform this is.",
    uses=("best-of-n/law",),
    remark="Attained by laws without atoms only; for n = 1 both sides are 0.",
)

win = Quantity(
    "win", "P(best of n is better) + half of P(tie)", Domain.PROBABILITY, r"P(\pi_n\succ\pi)"
)
win_rate = Theorem(
    label="best-of-n/win-rate",
    title="Best-of-n wins against the policy at most n times of n + 1",
    relation=Both(Le(win, n / (n + 1)), Ge(win, Rational(1, 2))),
    source=OURS,
    given=(TRANSITIVE,),
    proof="Among n + 1 draws the last is best with probability 1/(n + 1) by symmetry, ties shared.",
    uses=("best-of-n/law",),
)

R_1 = Quantity("R_1", "expected reward of the policy", latex="R_1")
spread = Quantity("spread", "largest less smallest reward", Domain.NONNEGATIVE, r"\varrho")
peak = Quantity("peak", "largest u - u^n of u in [0, 1]", Domain.NONNEGATIVE)
gain = Theorem(
    label="best-of-n/gain",
    title="What best-of-n gains on the policy",
    relation=Both(Le(R_n - R_1, spread * peak), Le(R_n - R_1, spread * sqrt(KL / 2))),
    source=OURS,
    proof="It is the integral of C - C^n; Pinsker's inequality for the second part.",
    uses=("best-of-n/law",),
    remark="peak is (n - 1) n^(-n/(n - 1)), and attained.  With best-of-n/divergence the second "
    "bound is spread times the root of (log n - (n - 1)/n)/2.",
    sharp=(
        Sharp(
            "(n - 1) n^(-n/(n - 1))",
            "Attained by two rewards, the lower with probability n^(-1/(n - 1)).",
        ),
    ),
)

slope = Quantity("slope", "derivative of the value towards another policy", latex="R'")
along = Quantity("along", "change times -integral of n C^(n-1) from r(y) on")
along_best = Quantity("along_best", "change times expected best of y and n - 1 more draws")
variation = Theorem(
    label="best-of-n/variation",
    title="The first variation of best-of-n",
    relation=Both(Eq(slope, along), Eq(along, n * along_best)),
    source=Source(IAMA, "Proposition 4.2; the second form ours", Provenance.RECALLED),
    proof="Differentiate the integral of C^n; n times the mean over the other draws of the best.",
    uses=("best-of-n/law",),
)

after = Quantity("after", "R_n of the other policy", latex="R_n[\\pi']")
far = Quantity("far", "KL(other policy | policy)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi'\|\pi)")
smooth = Theorem(
    label="best-of-n/smooth",
    title="Best-of-n is concave, and smooth relative to KL",
    relation=Both(
        Le(after, R_n + slope),
        Ge(after, R_n + slope - spread * (n - 1) * (1 - 1 / n) ** (n - 1) * far),
    ),
    source=OURS,
    proof="For C, pointwise, as n(n - 1)u^(n - 1)(1 - u) is at most the constant; data processing.",
    uses=("best-of-n/variation",),
    remark="The constant is sharp: two rewards, the lower with probability 1 - 1/n.",
    sharp=(
        Sharp(
            "(n - 1) (1 - 1/n)^(n - 1)",
            "Attained by two rewards, the lower with probability 1 - 1/n.",
            1,
        ),
    ),
)

soft = Quantity("soft", "E r w/E w under the policy", latex="S")
Z = Quantity("Z", "E w under the policy", Domain.POSITIVE, "Z")
soft_along = Quantity("soft_along", "change times w r", latex=r"\langle\delta,wr\rangle")
soft_weight = Quantity("soft_weight", "change times w", latex=r"\langle\delta,w\rangle")
soft_slope = Quantity("soft_slope", "derivative of S towards another policy", latex="S'")
soft_variation = Theorem(
    label="best-of-n/soft-variation",
    title="The first variation of soft best-of-n",
    relation=Eq(soft_slope, (soft_along - soft * soft_weight) / Z),
    source=Source(IAMA, "Proposition 4.3", Provenance.RECALLED),
    proof="The derivative of a quotient.",
)

soft_other = Quantity("soft_other", "E r w/E w under another policy", latex="S_2")
Z_other = Quantity("Z_other", "E w under it", Domain.POSITIVE, "Z_2")
soft_middle = Quantity("soft_middle", "E r w/E w under the mean of both", latex=r"S_{1/2}")
best_middle = Quantity("best_middle", "R_n of the mean of both policies", latex=r"R_{1/2}")
soft_mixture = Theorem(
    label="best-of-n/soft-mixture",
    title="Soft best-of-n of a mixture lies between, nearer to the one with larger weights",
    relation=Both(
        Eq(soft_middle, (Z * soft + Z_other * soft_other) / (Z + Z_other)),
        Ge(best_middle, (R_n + after) / 2),
    ),
    source=OURS,
    proof="Numerator and denominator are linear in the policy; best-of-n is concave.",
    uses=("best-of-n/smooth",),
    remark="So it is not concave: where the better of two has the smaller Z, the mixture is below "
    "their mean.  Statements on concave objectives say nothing of it; no source that was read says "
    "otherwise.",
)
