r"""Constraints that are estimated: what errors of reward and safety cost SACPO.

hat marks what is fitted to data; :math:`h^\star=r+\lambda^\star g`, :math:`\hat h=\hat r+
\hat\lambda\hat g`, :math:`\hat\pi` is the reference tilted by :math:`\hat h`.  Widths:
``|f - hat f| <= alpha U_f`` for f = r, g at every response, with U_f the norm of its features
in the inverse of kappa I + sum phi phi', and
:math:`\hat\Gamma(c)=\alpha(U_r+cU_g)+|c-\hat\lambda|B` for ``|hat g| <= B``.

Main results: `optimality_repaired`, `violation_repaired`, `violation_moved`, `violation_ordered`,
`variational`; false as printed: `level_printed`.  Theorem 2, `optimality`, is open: its printed
proof has a gap.  Theorem 3 and the widths themselves are in `designs`.
"""

from sympy import Abs, exp

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Gt, Le
from ..theorem import Assumption, Printed, Refutation, Standing, Theorem
from .stepwise import OPTIMAL, OURS, SLATER, R_star, _read, b, beta, lam, xi

FIDELITY = (
    "Compared on 2026-11-29 with the text of arXiv 2404.11049, its appendices included; which of "
    "its versions that text is was not noted."
)
WIDTHS = Assumption("widths", "Errors of reward and safety are within alpha U_r and alpha U_g.")
BOUNDED = Assumption("bounded", "|hat g| <= B.")
LINEAR = Assumption(
    "linear",
    "Assumption 2: r, g and their fits are linear in shared features of norm 1 at most; the "
    "fitted weights have norm B at most.",
)
BETWEEN = Assumption("between", "hat lambda is in [0, Lambda], Lambda = (R* - R(slater))/xi.")
TILTED = Assumption("tilted", "hat pi is the reference tilted by hat r + hat lambda hat g.")
SETTING = (SLATER, OPTIMAL, LINEAR, WIDTHS, BETWEEN, TILTED)
"""What the source prints before Theorems 2 and 3."""
MET = Assumption("met", "The estimated policy meets the level by the estimated safety.")

alpha = Quantity("alpha", "multiple of the widths", Domain.POSITIVE, r"\alpha")
U_r = Quantity("U_r", "width of the reward of a response", Domain.NONNEGATIVE, "U_r")
U_g = Quantity("U_g", "width of its safety", Domain.NONNEGATIVE, "U_g")
c = Quantity("c", "weight of safety", Domain.NONNEGATIVE, "c")
lam_hat = Quantity("lam_hat", "estimated multiplier", Domain.NONNEGATIVE, r"\hat\lambda")
B = Quantity("B", "bound on what is fitted", Domain.POSITIVE, "B")

J_star = Quantity("J_star", "E f - beta KL of the optimum", latex=r"J_f(\pi^\star)")
J_hat = Quantity("J_hat", "the same of the estimated policy", latex=r"J_f(\hat\pi)")
at_star = Quantity(
    "at_star", "E (f - h) under the optimum", latex=r"\mathbb E_{\pi^\star}(f-h^\star)"
)
at_hat = Quantity(
    "at_hat", "E (hat h - f) under the estimate", latex=r"\mathbb E_{\hat\pi}(\hat h-f)"
)
log_ratio = Quantity(
    "log_ratio",
    "mean of log of Z_h over Z_hat_h",
    latex=r"\mathbb E_\rho\log(Z_{h^\star}/Z_{\hat h})",
)
difference = Theorem(
    label="estimated/difference",
    title="What an estimated policy lacks, in three terms",
    relation=Eq(J_star - J_hat, at_star + at_hat + beta * log_ratio),
    source=_read("Lemma 10"),
    given=(OPTIMAL, TILTED),
    proof="J of a tilt by h is beta log Z_h plus E (f - h).",
    uses=("tilts/gibbs",),
)

moved = Quantity(
    "moved", "E (c - lam) g under the optimum", latex=r"\mathbb E_{\pi^\star}(\eta_c-h^\star)"
)
WEIGHT = Assumption("weight", "c is in [0, Lambda], Lambda the bound on the multiplier.")
ACTIVE = Assumption("active", "c = 0, or the optimum has G = b.")
_LEVEL = Eq(moved, (c - lam) * b)
level = Theorem(
    label="estimated/level",
    title="Changing the weight of safety moves the mean by the level, where the constraint binds",
    relation=_LEVEL,
    source=_read("Lemma 11, for c = 0 or G = b"),
    given=(SLATER, OPTIMAL, ACTIVE, WEIGHT),
    standing=Standing.REPAIRED,
    proof="lam G = lam b by complementary slackness; the part with c needs G = b.",
    uses=("stepwise/duality",),
    remark="Repair: printed for every c in [0, Lambda]. Theorem 2 uses c = 0 only.",
)
Lambda = Quantity("Lambda", "bound on the multiplier", Domain.NONNEGATIVE, r"\Lambda")
above = Quantity("above", "G - b of the optimum: slope of the dual", latex=r"G(\pi^\star)-b")
slack = Quantity("slack", "lam times G - b of the optimum", latex=r"\lambda^\star(G-b)")
level_printed = Theorem(
    label="estimated/level-printed",
    title="Changing the weight of safety moves the mean by the level, up to the bound on weights",
    relation=_LEVEL,
    source=_read("Lemma 11"),
    given=(SLATER, OPTIMAL, WEIGHT),
    standing=Standing.REFUTED,
    proof="As printed: strong duality is said to give G = b; it gives lam (G - b) = 0 only.",
    uses=("stepwise/duality",),
    remark="Repaired by estimated/level.",
    refutation=Refutation(
        FIDELITY,
        "It strikes where the constraint is slack and c > 0; the paper uses c = 0 alone.",
        (
            Printed("Finitely many prompts, a positive reference, beta > 0.",
                    "One prompt, two responses of even odds, r = 0, g = (0, 1), beta = 1.",
                    Gt(beta, 0)),
            Printed("Assumption 1: some policy is safe by a margin xi > 0.",
                    "To give the second response always: 1 against b = 1/4.", Gt(xi, 0)),
            Printed("pi* meets the constraint.", "G = 1/2 without any multiplier.", Gt(above, 0)),
            Printed("pi* is optimal, lam its multiplier: 0 or more, and least in the dual.",
                    "lam = 0, where the dual has the slope G - b > 0, and pi* the largest R there "
                    "is.", Eq(lam, 0)),
            Printed("Strong duality: lam (G - b) = 0.", "0 times a slack of 1/4.", Eq(slack, 0)),
            Printed("c is 0 or more.", "It is 1/2.", Ge(c, 0)),
            Printed("c is at most Lambda = (R* - R(slater))/xi.", "Lambda = 4/3 log 2.",
                    Le(c, Lambda)),
        ),
    ),
)  # fmt: skip

eta = Quantity("eta", "r + c g of a response", latex=r"\eta_c")
h_hat = Quantity("h_hat", "estimated r + lam g of it", latex=r"\hat h")
width = Theorem(
    label="estimated/width",
    title="How far an estimated objective is from one of another weight",
    relation=Le(Abs(eta - h_hat), alpha * (U_r + c * U_g) + Abs(c - lam_hat) * B),
    source=_read("Lemma 12"),
    given=(LINEAR, WIDTHS, BOUNDED, BETWEEN, WEIGHT),
    proof="The triangle inequality.",
)

pi_star = Quantity("pi_star", "its probability, optimum", Domain.PROBABILITY, r"\pi^\star")
pi_hat = Quantity("pi_hat", "its probability, estimate", Domain.PROBABILITY, r"\hat\pi")
Z_ratio = Quantity("Z_ratio", "Z_h over Z_hat_h", Domain.POSITIVE, r"Z_{h^\star}/Z_{\hat h}")
h_star = Quantity("h_star", "r + lam g of a response", latex=r"h^\star")
ratio = Theorem(
    label="estimated/ratio",
    title="The estimated policy over the optimum",
    relation=Eq(pi_hat, pi_star * Z_ratio * exp((h_hat - h_star) / beta)),
    source=_read("Lemma 13"),
    given=(OPTIMAL, TILTED),
    proof="Both are tilts of one reference.",
    uses=("tilts/gibbs",),
)

spread = Quantity(
    "spread", "E exp(Gamma(lam)/beta) under the optimum, of one prompt", Domain.POSITIVE,
    r"\mathbb E_{\pi^\star}e^{\hat\Gamma(\lambda^\star)/\beta}",
)  # fmt: skip
log_spread = Quantity(
    "log_spread", "log of the same over all prompts", Domain.NONNEGATIVE,
    r"\log\mathbb E_{\rho,\pi^\star}e^{\hat\Gamma(\lambda^\star)/\beta}",
)  # fmt: skip
partition = Theorem(
    label="estimated/partition",
    title="Normalisers are apart by the widths at most",
    relation=Both(Le(Z_ratio, spread), Le(log_ratio, log_spread)),
    source=_read("Lemmas 14 and 15"),
    given=(*SETTING, BOUNDED),
    proof="Jensen's inequality, over responses and over prompts.",
    uses=("estimated/width",),
)
short = Quantity(
    "short", "E (h - hat h) under the optimum", latex=r"\mathbb E_{\pi^\star}(h^\star-\hat h)"
)
wide = Quantity(
    "wide", "E Gamma(lam) under the optimum", Domain.NONNEGATIVE,
    r"\mathbb E_{\pi^\star}\hat\Gamma(\lambda^\star)",
)  # fmt: skip
variational = Theorem(
    label="estimated/variational",
    title="Normalisers are apart by a mean error, without exponentials",
    relation=Both(Le(beta * log_ratio, short), Le(short, wide)),
    source=OURS,
    given=(OPTIMAL, WIDTHS, BOUNDED, TILTED),
    proof="beta log Z is the largest E f - beta KL: put the optimum in for hat h.",
    uses=("tilts/gibbs", "estimated/width"),
    remark="Sharper than Lemmas 14 and 15.",
)

R_hat = Quantity("R_hat", "R of the estimated policy", latex=r"R(\hat\pi)")
weighted_free = Quantity(
    "weighted_free", "E Gamma(0) exp(2 Gamma(lam)/beta) under the optimum", Domain.NONNEGATIVE,
    r"\mathbb E_{\pi^\star}\hat\Gamma(0)e^{2\hat\Gamma(\lambda^\star)/\beta}",
)  # fmt: skip
optimality = Theorem(
    label="estimated/optimality",
    title="How much reward an estimated policy loses, as printed",
    relation=Le(R_star - R_hat, -lam * b + weighted_free + beta * log_spread),
    source=_read("Theorem 2"),
    standing=Standing.OPEN,
    given=(*SETTING, BOUNDED),
    proof="Open: the printed proof orders two widths alike, which they need not be "
    "(designs/orders). Not refuted.",
    uses=("estimated/difference", "estimated/level", "estimated/partition"),
    remark="Not tight for perfect estimates: lam (B - b) is left. estimated/optimality-repaired "
    "has a proof and is far smaller.",
)
U_r_star = Quantity(
    "U_r_star", "E U_r under the optimum", Domain.NONNEGATIVE, r"\mathbb E_{\pi^\star}U_r"
)
U_r_hat = Quantity(
    "U_r_hat", "E U_r under the estimate", Domain.NONNEGATIVE, r"\mathbb E_{\hat\pi}U_r"
)
U_g_star = Quantity(
    "U_g_star", "E U_g under the optimum", Domain.NONNEGATIVE, r"\mathbb E_{\pi^\star}U_g"
)
U_g_hat = Quantity(
    "U_g_hat", "E U_g under the estimate", Domain.NONNEGATIVE, r"\mathbb E_{\hat\pi}U_g"
)
believed = Quantity("believed", "E hat g under the estimate", latex=r"\mathbb E_{\hat\pi}\hat g")
optimality_repaired = Theorem(
    label="estimated/optimality-repaired",
    title="How much reward an estimated policy loses, by mean widths",
    relation=Le(
        R_star - R_hat,
        alpha * (U_r_star + U_r_hat) + lam_hat * (believed - b) + lam_hat * alpha * U_g_star,
    ),
    source=OURS,
    standing=Standing.REPAIRED,
    given=(SLATER, OPTIMAL, WIDTHS, TILTED),
    proof="The estimate is best for hat h; E hat g >= b - alpha E U_g under the optimum.",
    uses=("tilts/gibbs",),
    remark="In the place of Theorem 2. For any lam_hat >= 0, without B and the true multiplier.",
)

violation_size = Quantity(
    "violation", "by how much the estimated policy misses the level", Domain.NONNEGATIVE,
    r"[b-G(\hat\pi)]_+",
)  # fmt: skip
weighted = Quantity(
    "weighted", "E U_g exp(2 Gamma(lam)/beta) under the optimum", Domain.NONNEGATIVE,
    r"\mathbb E_{\pi^\star}U_ge^{2\hat\Gamma(\lambda^\star)/\beta}",
)  # fmt: skip
product = Quantity(
    "product", "mean of E exp(Gamma(lam)/beta) E U_g exp(Gamma(lam)/beta)", Domain.NONNEGATIVE,
    r"\mathbb E_\rho[\mathbb E e^{\hat\Gamma/\beta}\,\mathbb E U_ge^{\hat\Gamma/\beta}]",
)  # fmt: skip
violation_repaired = Theorem(
    label="estimated/violation-repaired",
    title="An estimated policy misses the level by its own mean width at most",
    relation=Le(violation_size, alpha * U_g_hat),
    source=OURS,
    standing=Standing.REPAIRED,
    given=(WIDTHS, MET, TILTED),
    proof="G >= E hat g - alpha E U_g, all under the estimate.",
    remark="In the place of Theorem 3, designs/violation.",
)
violation_moved = Theorem(
    label="estimated/violation-moved",
    title="An estimated policy misses the level by no more than two means under the optimum",
    relation=Le(violation_size, alpha * product),
    source=OURS,
    standing=Standing.REPAIRED,
    given=(OPTIMAL, WIDTHS, BOUNDED, MET, TILTED),
    proof="The estimate is at most the optimum times exp(Gamma/beta) E exp(Gamma/beta).",
    uses=("estimated/violation-repaired", "estimated/ratio", "estimated/partition"),
)
ORDERED = Assumption("ordered", "For each prompt U_g and Gamma(lam) are ordered alike.")
violation_ordered = Theorem(
    label="estimated/violation-ordered",
    title="Theorem 3 where the two widths are ordered alike",
    relation=Le(violation_size, alpha * weighted),
    source=OURS,
    standing=Standing.REPAIRED,
    given=(OPTIMAL, WIDTHS, BOUNDED, MET, ORDERED, TILTED),
    proof="Chebyshev's sum inequality, twice.",
    uses=("estimated/violation-moved",),
    remark="As with reward and safety labels on the same pairs, where U_r = U_g.",
)
