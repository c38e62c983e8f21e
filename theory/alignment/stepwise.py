r"""One constraint after the other: SACPO's multiplier, its two stages, and the merge of policies.

Problem.  R(pi) = E r - beta KL(pi | pi_ref) is to be largest subject to G(pi) = E g >= b; means
and KL are averaged over prompts.  pi_lam is the reference tilted by (r + lam g)/beta, D its dual
value :math:`\beta\,\mathbb E_\rho\log Z_{r+\lambda g}-\lambda b`, and T_f tilts a policy by f/beta.

Main results: `duality`, `multiplier_bound`, `composition`, `order`, `several`, `shared_bound`,
`merge`.
"""

from sympy import exp

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Source, Theorem

PAPER = "Wachi, Tran, Sato, Tanabe, Akimoto 2024 (SACPO, arXiv 2404.11049)"
OURS = Source("holdfast", f"for the setting of {PAPER}", Provenance.DERIVED)


def _read(place: str) -> Source:
    return Source(PAPER, place, Provenance.READ)


SLATER = Assumption("slater", "Some policy has G - b >= xi for a xi > 0.")
OPTIMAL = Assumption("optimal", "lam is a multiplier at which the dual is least.")

lam = Quantity("lam", "optimal multiplier", Domain.NONNEGATIVE, r"\lambda^\star")
b = Quantity("b", "level of safety that is asked for", latex="b")
R_star = Quantity(
    "R_star",
    "R of the optimum pi_lam",
    latex=r"R(\pi^\star)",
    program=r"\max_\pi\ \mathbb E_\pi r-\beta\,\mathrm{KL}(\pi\|\pi_{\rm ref})"
    r"\quad\text{subject to}\quad\mathbb E_\pi g\ge b",
)
G_star = Quantity("G_star", "G of the optimum", latex=r"G(\pi^\star)")
dual = Quantity(
    "dual",
    "dual value at lam",
    latex=r"D(\lambda^\star)",
    program=(
        r"D(\lambda)=\max_\pi\ \mathbb E_\pi(r+\lambda g)"
        r"-\beta\,\mathrm{KL}(\pi\|\pi_{\rm ref})-\lambda b"
    ),
)
R_other = Quantity("R_other", "R of any policy", latex=r"R(\pi)")
G_other = Quantity("G_other", "G of that policy", latex=r"G(\pi)")
dual_other = Quantity("dual_other", "dual value at any multiplier", latex=r"D(\lambda)")
duality = Theorem(
    label="stepwise/duality",
    title="The constrained optimum is a saddle point without a gap",
    relation=Both(
        Eq(R_star, dual),
        Eq(lam * G_star, lam * b),
        Ge(G_star, b),
        Le(R_other + lam * (G_other - b), R_star),
        Le(R_star, dual_other),
    ),
    source=_read("Assumption 1 and Lemma 1"),
    given=(SLATER, OPTIMAL),
    proof="R is concave and G linear in the policy; a Slater point gives a multiplier, and the "
    "Lagrangian is largest at the Gibbs tilt.",
    uses=("tilts/gibbs",),
    remark="The paper writes xi >= 0; at xi = 0 there need be no multiplier.",
)

R_slater = Quantity("R_slater", "R of the Slater point", latex=r"R(\bar\pi)")
xi = Quantity("xi", "G of the Slater point, less b", Domain.POSITIVE, r"\xi")
multiplier_bound = Theorem(
    label="stepwise/multiplier-bound",
    title="The multiplier is at most what the Slater point loses over its slack",
    relation=Le(lam, (R_star - R_slater) / xi),
    source=_read("Lemma 2"),
    given=(SLATER, OPTIMAL),
    proof="R* = D(lam) >= R(slater) + lam (G(slater) - b).",
    uses=("stepwise/duality",),
    remark="Lambda in what follows. Approached by Slater points pi_mu with mu near lam.",
)

mu = Quantity("mu", "a larger multiplier", Domain.POSITIVE, r"\mu")
low = Quantity("low", "a multiplier", Domain.NONNEGATIVE, r"\lambda")
R_low = Quantity("R_low", "R at the smaller multiplier", latex=r"R(\pi_\lambda)")
R_high = Quantity("R_high", "R at the larger one", latex=r"R(\pi_\mu)")
G_low = Quantity("G_low", "G at the smaller multiplier", latex=r"G(\pi_\lambda)")
G_high = Quantity("G_high", "G at the larger one", latex=r"G(\pi_\mu)")
frontier = Theorem(
    label="stepwise/frontier",
    title="A larger multiplier buys safety, at a price between the two multipliers",
    relation=Both(
        Le(low * (G_high - G_low), R_low - R_high),
        Le(R_low - R_high, mu * (G_high - G_low)),
        Le(G_low, G_high),
    ),
    source=OURS,
    proof="Either policy maximises its own Lagrangian; the derivative of G is Var(g)/beta.",
    uses=("tilts/gibbs",),
    remark="So G is monotone, and the multiplier is found by bisection.",
)

beta = Quantity("beta", "weight of the KL divergence", Domain.POSITIVE, r"\beta")
pi_star = Quantity(
    "pi_star", "probability of a response, both at once", Domain.PROBABILITY, r"\pi^\star(y|x)"
)
pi_r = Quantity("pi_r", "the same, tilted by r alone", Domain.PROBABILITY, r"\pi_r(y|x)")
realigned = Quantity(
    "realigned", "pi_r tilted by g with weight beta/lam of the KL", Domain.PROBABILITY,
    r"\mathcal T^{\beta/\lambda}_g\pi_r",
)  # fmt: skip
g = Quantity("g", "safety of the response", latex="g(x,y)")
Y = Quantity("Y", "Z of r + lam g over Z of r", Domain.POSITIVE, "Y(x)")
composition = Theorem(
    label="stepwise/composition",
    title="Aligning for reward first and for safety afterwards gives the constrained optimum",
    relation=Both(Eq(pi_star, pi_r * exp(lam * g / beta) / Y), Eq(realigned, pi_star)),
    source=_read("Theorem 1"),
    given=(SLATER, OPTIMAL),
    proof="Exponentials multiply: the second stage starts from pi_r, with weight beta/lam.",
    uses=("stepwise/duality",),
    remark="lam = 0 leaves out the second stage. With forward KL or chi^2 stages do not compose.",
)

reward_first = Quantity(
    "reward_first", "reward, then safety", Domain.PROBABILITY, r"T_{\lambda g}T_r\pi_{ref}"
)
safety_first = Quantity(
    "safety_first", "safety, then reward", Domain.PROBABILITY, r"T_rT_{\lambda g}\pi_{ref}"
)
order = Theorem(
    label="stepwise/order",
    title="The order of the stages does not matter",
    relation=Eq(reward_first, safety_first),
    source=_read("Remark 2"),
    given=(OPTIMAL,),
    proof="Tilts commute.",
    uses=("stepwise/composition",),
    remark="Of exact stages; what training does in either order is another matter.",
)

composed = Quantity(
    "composed", "one tilt for each constraint, after that by r", Domain.PROBABILITY,
    r"T_{\lambda_ng_n}\cdots T_{\lambda_1g_1}\pi_r",
)  # fmt: skip
Y_n = Quantity("Y_n", "sum of the composed probabilities over responses", latex=r"\hat Y_n(x)")
several = Theorem(
    label="stepwise/several",
    title="With several constraints one stage for each gives the optimum, without a normaliser",
    relation=Both(Eq(pi_star * Y_n, composed), Eq(Y_n, 1)),
    source=Source(PAPER, "Theorem 4; the second part ours", Provenance.READ),
    given=(SLATER, OPTIMAL),
    proof="As for one constraint; every stage is normalised already, so the factors telescope.",
    uses=("stepwise/composition",),
)

own_bound = Quantity(
    "own_bound",
    "smallest of the bounds (R* - R(slater))/xi_i - lam_i",
    latex=r"\Lambda_i-\lambda_i",
)
paid = Quantity(
    "paid", "sum over constraints of lam_i xi_i", Domain.NONNEGATIVE, r"\sum_i\lambda_i\xi_i"
)
shared_bound = Theorem(
    label="stepwise/shared-bound",
    title="All multipliers together are paid for by what one Slater point loses",
    relation=Both(Le(paid, R_star - R_slater), Ge(own_bound, 0)),
    source=Source(PAPER, "Lemmas 5 to 7; the first part ours, sharper", Provenance.READ),
    given=(SLATER, OPTIMAL),
    proof="R* = D(lam) >= R(slater) + sum lam_i (G_i(slater) - b_i), whose terms are >= 0.",
    uses=("stepwise/multiplier-bound",),
)

q = Quantity("q", "weight of the conservative policy", Domain.PROBABILITY, "q")
q_safe = Quantity(
    "q_safe",
    "least weight whose merge has G >= b",
    Domain.PROBABILITY,
    r"q^\star",
    program=r"\min\{q\in[0,1]:G(\pi_r^{1-q}\pi_{\bar\lambda}^q/Z)\ge b\}",
)
lam_bar = Quantity(
    "lam_bar", "multiplier of the conservative policy", Domain.NONNEGATIVE, r"\bar\lambda"
)
merged = Quantity(
    "merged", "pi_r and pi_lam_bar, logits averaged", Domain.PROBABILITY,
    r"\pi_r^{1-q}\pi_{\bar\lambda}^q/Z",
)  # fmt: skip
at_q = Quantity(
    "at_q", "the reference tilted by r + q lam_bar g", Domain.PROBABILITY, r"\pi_{q\bar\lambda}"
)
naive = Quantity(
    "naive", "the policies of r and of lam_bar g, logits averaged", Domain.PROBABILITY,
    r"\pi_r^{1-q}\pi_g^q/Z",
)  # fmt: skip
diluted = Quantity(
    "diluted", "the reference tilted by (1 - q) r + q lam_bar g", Domain.PROBABILITY,
    r"T_{(1-q)r+q\bar\lambda g}\pi_{ref}",
)  # fmt: skip
merge = Theorem(
    label="stepwise/merge",
    title="Averaging logits with a safer policy scales its multiplier; naively, the reward too",
    relation=Both(Eq(merged, at_q), Eq(naive, diluted)),
    source=Source(PAPER, "P-SACPO; form ours", Provenance.DERIVED),
    proof="Averages of logits average the exponents of tilts.",
    uses=("stepwise/order",),
    remark="Averages of parameters do this where logits are linear in them; averages of "
    "probabilities do not. The naive merge starts from a policy aligned for safety alone.",
)
smallest_merge = Theorem(
    label="stepwise/smallest-merge",
    title="The least safe merge has the optimal multiplier",
    relation=Eq(q_safe * lam_bar, lam),
    source=OURS,
    given=(SLATER, OPTIMAL),
    proof="The merge at q is pi_mu for mu = q lam_bar, and G increases with mu.",
    uses=("stepwise/merge", "stepwise/frontier"),
)
