r"""Linear features and data: the widths of SACPO's Lemmas 3, 8 and 9, and its Theorem 3.

Rewards and safety are linear in features phi of norm 1 at most.  Unpaired data are labels of single
responses, paired data comparisons; Sigma is kappa I plus the sum of phi phi' over the data (of
differences, for comparisons), and U(x, y)^2 is phi' Sigma^-1 phi.

Main results: `pointwise`, `self_normalised`, `paired`, `orders`; false as printed: `violation`,
`any_ridge`, `at_once`.
"""

from sympy import Rational, log, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Gt, Le, Lt
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .estimated import (
    FIDELITY,
    MET,
    SETTING,
    B,
    Lambda,
    believed,
    lam_hat,
    violation_size,
    weighted,
)
from .stepwise import OURS, _read, b, beta, lam

delta = Quantity("delta", "probability allowed to fail", Domain.PROBABILITY, r"\delta")
kappa = Quantity("kappa", "ridge", Domain.POSITIVE, r"\kappa")
PRINTED_ALPHA = B * (1 + sqrt(log(2 / delta) / 2))
slater = Quantity("slater", "largest G - b of a policy", latex=r"\xi")
norm = Quantity("norm", "largest of the four squared norms", latex=r"\max\|w\|^2")
event = Quantity("event", "largest |f - hat f| - alpha U", latex=r"\max(|f-\hat f|-\alpha U)")
slack = Quantity("slack", "lam times (G - b) of the optimum", latex=r"\lambda^\star(G-b)")
features = Quantity("features", "largest squared norm of features", latex=r"\max\|\phi\|^2")
least_dual = Quantity("least_dual", "slope of the dual at lam: G - b", latex=r"G(\pi^\star)-b")

violation = Theorem(
    label="designs/violation",
    title="How far an estimated policy misses the level, as printed for unpaired data",
    relation=Le(violation_size, PRINTED_ALPHA * weighted),
    source=_read("Theorem 3 with the alpha of Lemma 9"),
    given=(*SETTING, MET),
    standing=Standing.REFUTED,
    proof="As printed: the estimate over the optimum is said to be at most exp(2 Gamma/beta) at "
    "each response; the normalisers depend on the other responses.",
    uses=("estimated/ratio",),
    remark="Repaired by estimated/violation-repaired, estimated/violation-moved and "
    "estimated/violation-ordered. Nothing is said of paired data, for which alpha is printed up to "
    "a constant.",
    refutation=Refutation(
        FIDELITY + " Theorem 3 prints no further hypothesis and no probability.",
        "It strikes the constraint that the method is for: missed by 7/10, 3/10 allowed. All "
        "instances have separate data for reward and safety; with the same pairs it is true.",
        (
            Printed("Finitely many prompts, a positive reference, beta > 0.",
                     "One prompt, two responses, reference (9/10, 1/10), beta = 1/4.",
                     Eq(beta, Rational(1, 4))),
            Printed("Assumption 1: some policy is safe by a margin.", "The second response.",
                     Gt(slater, 0)),
            Printed("Assumption 2: r, g and their fits are linear in shared features of norm 1 at "
                     "most.", "The features are unit vectors.", Le(features, 1)),
            Printed("Fitted weights have norm B at most.", "So have the true ones.",
                     Le(norm, B**2)),
            Printed("kappa is a fixed positive value.", "It is 4, and 1 in another instance.",
                     Gt(kappa, 0)),
            Printed("Fits maximise the likelihood; U is the norm in the inverse of kappa I + sum "
                     "phi phi'.", "Without noise: the ridge estimate, and in another instance the "
                     "least weights that fit; 10^6 labels of one response, 10^10 of the other."),
            Printed("Lemma 3: with probability 1 - delta the errors are within alpha U.",
                     "They are for certain.", Le(event, 0)),
            Printed("pi* is optimal, lam its multiplier.", "lam = 0: G > b without it.",
                     Ge(least_dual, 0)),
            Printed("The multiplier is complementary to the constraint.", "0 times a slack.",
                     Eq(slack, 0)),
            Printed("The estimate lam_hat is in [0, Lambda].", "It is 0.", Le(lam_hat, Lambda)),
            Printed("The estimated policy has E hat g >= b.", "0.0199 against 0.",
                     Ge(believed, b)),
        ),
    ),
)  # fmt: skip

ordered = Quantity("ordered", "product of the differences of Gamma(0) and of Gamma(lam)")
narrow = Quantity("narrow", "difference of Gamma(0) between the responses")
orders = Theorem(
    label="designs/orders",
    title="Widths at two weights of safety need not be ordered alike",
    relation=Both(
        Eq(ordered, (1 - lam) * narrow**2),
        Lt(ordered, 0),
    ),
    source=OURS,
    given=(
        Assumption("unit", "One prompt, two responses, whose features are e_1 and e_2."),
        Assumption(
            "apart", "n > 0 reward labels, all of one response; n safety labels, all of the other."
        ),
        Assumption("one-ridge", "Both widths have the same alpha > 0 and the same kappa > 0."),
        Assumption("above-one", "lam > 1; hat lambda may be any, it is lam here."),
    ),
    proof="U_r and U_g are exchanged between the two responses.",
    remark="A remark on the premise of Lemma 16, which takes the product as >= 0; the inequality "
    "of that lemma, and Theorem 2, are not refuted by it.",
)

error = Quantity("error", "|f - hat f| of a response", Domain.NONNEGATIVE, r"|f-\hat f|")
form = Quantity("form", "square of U of that response", Domain.POSITIVE, "U^2")
any_ridge = Theorem(
    label="designs/any-ridge",
    title="The width of Lemma 9 at a single response, for any ridge",
    relation=Le(error, PRINTED_ALPHA * sqrt(form)),
    source=_read("Lemma 9, read at each response by itself"),
    standing=Standing.REFUTED,
    proof="As printed: by reference to LinUCB, whose ridge is 1.",
    remark="False for kappa > (1 + sqrt(log(2/delta)/2))^2, under every reading: a response "
    "without data may be off by B. Repaired by designs/pointwise and designs/self-normalised.",
    refutation=Refutation(
        FIDELITY,
        "It strikes ridges above 4.95 at delta = 1/10; small ones need not fail at one response.",
        (
            Printed("Features of norm 1 at most, fitted weights of norm B at most.",
                     "Unit vectors; the true weight of the response is B.", Le(norm, B**2)),
            Printed("kappa is a fixed positive value.", "It is 5.", Gt(kappa, 0)),
            Printed("With probability at least 1 - delta.", "delta = 1/10. All data are of the "
                     "other response, so any estimate errs by B for one sign of the weight.",
                     Gt(delta, 0)),
        ),
    ),
)  # fmt: skip
failing = Quantity("failing", "probability that some width fails", Domain.PROBABILITY, "P")
RANGE = Assumption("range", "Noise is independent, of mean 0, in an interval of length B.")
FIXED = Assumption("fixed", "The design is fixed, the estimate that of the ridge.")
at_once = Theorem(
    label="designs/at-once",
    title="The width of Lemma 9 at all responses at once, as Definition 1 wants it",
    relation=Le(failing, delta),
    source=_read("Lemma 9 and Lemma 3, read as the event of Definition 1"),
    given=(RANGE, FIXED),
    standing=Standing.REFUTED,
    proof="As printed: by reference to LinUCB, which treats one response.",
    remark="False under this reading only. Read at each response it is designs/pointwise, true "
    "for kappa <= 1. The noise is not printed; it is the one of the cited lemma.",
    refutation=Refutation(
        FIDELITY,
        "It strikes where Theorems 2 and 3 use it, in high dimension and with many responses; "
        "alpha has no factor that grows with d.",
        (
            Printed("Features of norm 1 at most.", "2^100 responses, signs over 10.",
                     Le(features, 1)),
            Printed("Fitted weights of norm B at most.", "B = 1; the chance that they are not, by "
                     "Chebyshev's inequality at most 0.0022, is taken off."),
            Printed("kappa is a fixed positive value.", "It is 1, as in LinUCB.", Eq(kappa, 1)),
            Printed("Definition 1: with probability 1 - delta for all responses.", "delta = 1/10; "
                     "each unit vector is observed 99 times with noise +-1/2, weights 0.",
                     Gt(delta, 0)),
        ),
    ),
)  # fmt: skip
pointwise = Theorem(
    label="designs/pointwise",
    title="At one response a ridge estimate fails with probability delta at most",
    relation=Le(failing, delta),
    source=OURS,
    standing=Standing.REPAIRED,
    given=(RANGE, FIXED),
    proof="Hoeffding's inequality for the noise, Cauchy and Schwarz for the ridge.",
    remark="alpha = B sqrt(log(2/delta)/2) + sqrt(kappa) B; Lemma 9 has it at kappa = 1.",
)
radius = Quantity(
    "radius", "least r with |hat w - w|^2 <= r with probability 1 - delta, in the norm of Sigma",
    Domain.NONNEGATIVE, r"\|\hat w-w\|_\Sigma^2",
)  # fmt: skip
noise = Quantity(
    "noise", "d log(1 + n/(d kappa)) + 2 log(1/delta) for n labels", Domain.NONNEGATIVE,
    r"d\log(1+\tfrac n{d\kappa})+2\log\tfrac1\delta",
)  # fmt: skip
self_normalised = Theorem(
    label="designs/self-normalised",
    title="At all responses at once the width grows with the dimension",
    relation=Le(
        sqrt(radius),
        B / 2 * sqrt(noise) + sqrt(kappa) * B,
    ),
    source=Source("Abbasi-Yadkori, Pal, Szepesvari 2011", "Theorem 2", Provenance.RECALLED),
    given=(RANGE, FIXED, Assumption("short", "The true weights have norm B at most.")),
    proof="A self-normalised martingale; noise in an interval of length B is B/2-sub-Gaussian.",
    remark="|<hat w - w, phi>| is at most this times U, for all phi at once.",
)
steep = Quantity(
    "steep", "one over the least slope of the logistic function", Domain.POSITIVE,
    r"(2+e^{2B}+e^{-2B})",
)  # fmt: skip
noise_paired = Quantity(
    "noise", "log det(Sigma/kappa)/4 + log(1/delta)/2", Domain.NONNEGATIVE,
    r"\tfrac14\log\det\tfrac\Sigma\kappa+\tfrac12\log\tfrac1\delta",
)  # fmt: skip
paired = Theorem(
    label="designs/paired",
    title="The width for comparisons, with its constant",
    relation=Le(
        sqrt(radius),
        steep * sqrt(noise_paired) + 2 * sqrt(kappa) * B,
    ),
    source=OURS,
    standing=Standing.REPAIRED,
    given=(
        Assumption("bradley-terry", "Labels are those of Bradley and Terry."),
        Assumption("within", "True weights and their estimate have norm B at most."),
    ),
    proof="Optimality within the ball, least curvature, and the self-normalised bound.",
    remark="Lemma 8 has e^B in the place of e^(2B), up to a constant that is not printed: it is "
    "not refuted.",
)
