r"""Safe tuning of targets: what is certified is safe, what can be reached is found, and is good.

Notation as in the chapter.  :math:`Y_N` are the certified targets at time :math:`N`, and
:math:`[\ell_N,u_N]` the nested bounds of the cost, :math:`\alpha_N` posterior deviations wide.

Two quantities say how far these hold, so that each path tells, inside the event or not: the *miss*
is the largest distance by which a surface is outside its bounds, negative if it is inside
everywhere; on the event it is at most 0.

Main results: `pathwise`, `safety`, `monotone`, `expansion`, `stopping`, `regret`, `average_width`,
`both_events`, `exact_tails`, `observed`, `printed_sign`.  False, and printed nowhere:
`literal_zero`, `unit_regret`, `last_target`.
"""

from sympy import Rational, log, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem

PAPER = "Wachi, Miyaguchi, Tanabe, Sato and Akimoto 2025 (PLS)"
FIDELITY = (
    "A text conversion of the version at NeurIPS 2025, compared on 2026-11-29: prose, algorithm "
    "and inline formulas were legible, displayed formulas were not. The statement is printed "
    "nowhere; it is what a reader might take from it."
)
LIPSCHITZ = Assumption("lipschitz", "|J_g(z) - J_g(z')| is at most L d(z, z').")
INITIAL = Assumption(
    "initial",
    "Costs are taken to be at most b beforehand at the seeds alone, or bounds of members certify.",
)
PRIOR = Assumption("prior", "Cost and reward are independent draws of the model, noise and all.")
LOUD = Assumption("noise", "Observations are off by independent noise of the model's deviation.")
FORMULA = Assumption("formula", "The bounds are alpha_N posterior standard deviations wide.")
COST_FORMULA = Assumption(
    "formula", "The cost's bounds are as many deviations wide as printed, or as exact tails need."
)
STOPPED = Assumption("stopped", "No expander's cost is uncertain by more than zeta.")
REACHABLE = Assumption("reachable", "The comparison is with targets that are certified by then.")

excess = Quantity(
    "excess",
    "largest J_g(z) - b of certified targets; above 0 if one is not safe",
    latex=r"\max_{z\in Y_N}(J_g(z)-b)",
)
miss = Quantity(
    "miss",
    "largest J_g(z) - u_N(z) of all targets; at most 0 on the event, if seeds are safe",
    latex=r"\max_z(J_g(z)-u_N(z))",
)
pathwise = Theorem(
    label="safe-tuning/pathwise",
    title="What is certified exceeds the limit by no more than a cost exceeds its bound",
    relation=Le(excess, miss),
    source=Source(PAPER, "Theorem 2, its proof made quantitative", Provenance.DERIVED),
    given=(LIPSCHITZ, INITIAL),
    proof="By induction J_g(z) <= u(z) + miss for certified z, so J_g(z') <= u(z) + L d + miss.",
    remark=(
        "For every path: on the event, with safe seeds, all that is ever certified is safe. The "
        "direct rule (ours), by a target's own bound, uses no L; the printed interval [0, b] at "
        "every target is harmless where bounds of members certify."
    ),
)
failing = Quantity(
    "failing",
    "probability that L is valid, seeds are safe, and a certified target is not",
    Domain.PROBABILITY,
    r"\Pr(\exists N,z\in Y_N:J_g(z)>b)",
)
Delta = Quantity("Delta", "failure probability asked for", Domain.PROBABILITY, r"\Delta")
safety = Theorem(
    label="safe-tuning/safety",
    title="With probability 1 - Delta nothing unsafe is ever certified",
    relation=Le(failing, Delta),
    source=Source(PAPER, "Theorem 2, of all that is certified", Provenance.DERIVED),
    given=(PRIOR, LOUD, COST_FORMULA, INITIAL),
    proof="The pathwise implication and the confidence bounds of a finite grid.",
    uses=("safe-tuning/pathwise",),
    trivial=Rational(1),
    remark=(
        "Limit, seeds and L are fixed before the surface is drawn, and nothing is conditioned: "
        "that seeds are safe and L is valid is part of the event. The direct rule needs no L."
    ),
)
before = Quantity("before", "certified targets before a step", Domain.COUNT, r"|Y_{N-1}|")
kept = Quantity("kept", "of them, certified again", Domain.COUNT, r"|Y_{N-1}\cap Y_N|")
monotone = Theorem(
    label="safe-tuning/monotone",
    title="With nested bounds no target loses its certificate",
    relation=Le(before, kept),
    source=Source(PAPER, "Section 6.2, nested intervals", Provenance.DERIVED),
    given=(Assumption("nested", "A bound is never above an earlier one of the same target."),),
    proof="A bound that certified a target only falls.",
)
certified = Quantity("certified", "certified targets", Domain.COUNT, "|Y|")
within = Quantity("within", "of them, within reach", Domain.COUNT, r"|Y\cap\bar R_{-m}(Z_0)|")
in_reach = Quantity(
    "in_reach", "targets within reach with margin", Domain.COUNT, r"|\bar R_{\zeta+m}(Z_0)|"
)
reached = Quantity("reached", "of them, certified", Domain.COUNT, r"|\bar R_{\zeta+m}(Z_0)\cap Y|")
expansion = Theorem(
    label="safe-tuning/expansion",
    title="Exploration certifies all that can be reached with a margin, and nothing out of reach",
    relation=Both(Le(certified, within), Le(in_reach, reached)),
    source=Source(PAPER, "the expansion that Theorem 3 uses", Provenance.DERIVED),
    given=(STOPPED,),
    proof=(
        "A z that reaches z' with the margin zeta + m has l(z) + L d <= b, so it is an expander, "
        "so u(z) <= l(z) + zeta, and z' is certified."
    ),
    remark="m is the two-sided miss; on the event it is at most 0. With our plus sign before L d.",
)
N_steps = Quantity("N", "observations", Domain.COUNT, "N")
zeta = Quantity("zeta", "width at which exploration stops", Domain.POSITIVE, r"\zeta")
alpha = Quantity("alpha", "the last multiplier", Domain.POSITIVE, r"\alpha_N")
k_max = Quantity("k", "largest prior variance", Domain.POSITIVE, r"k_{\max}")
nu2 = Quantity("nu2", "variance of the noise", Domain.POSITIVE, r"\nu^2")
information = Quantity("I", "information gained, half a log-determinant", Domain.NONNEGATIVE, "I_N")
_SPENT = k_max * information / log(1 + k_max / nu2)
stopping = Theorem(
    label="safe-tuning/stopping",
    title="Exploration stops, whatever the size of the grid",
    relation=Le(N_steps * zeta**2, 8 * alpha**2 * _SPENT),
    source=Source(f"holdfast, for {PAPER}", "the number of steps in Theorem 3", Provenance.DERIVED),
    proof="Each step has zeta^2 < width^2 <= 4 alpha^2 sigma^2; the variances sum to 2 k I/log.",
    remark=(
        "Sharper than SafeOpt's bound, which has the number of reachable targets as a factor: no "
        "step is taken at a width of zeta or less, so the sum over all steps is enough."
    ),
)
behind = Quantity(
    "behind",
    "best reward that was certified, or the recommended target's, less the latter",
    Domain.NONNEGATIVE,
    latex=r"J_r(z^\star)-J_r(\hat z)",
)
width = Quantity("width", "least width of the tried", Domain.NONNEGATIVE, r"\min_jw_{r,j}(z_j)")
miss_r = Quantity("miss_r", "how far rewards are outside their bounds", latex="m_r")
regret = Theorem(
    label="safe-tuning/regret",
    title="The target tried at the least width is within that width of the best",
    relation=Le(behind, width + 2 * miss_r),
    source=Source(PAPER, "first inequality in the proof of Theorem 3", Provenance.DERIVED),
    given=(REACHABLE,),
    proof="J_r(z*) - m <= u_j(z*) <= u_j(z_j) = l_j(z_j) + width <= J_r(z_j) + m + width.",
    remark="Ours: it says which of the tried is good, where the printed proof says that one is.",
)
W_mean = Quantity("W", "mean of 2 alpha_j sigma_j", Domain.NONNEGATIVE, r"\bar w")
V_mean = Quantity("V", "mean posterior variance", Domain.NONNEGATIVE, r"\overline{\sigma^2}")
gamma = Quantity("gamma", "largest information of N observations", Domain.NONNEGATIVE, r"\gamma_N")
average_width = Theorem(
    label="safe-tuning/average-width",
    title="Widths are on average no more than the information gain allows",
    relation=Both(
        Le(W_mean, 2 * alpha * sqrt(V_mean)),
        Le(V_mean, 2 * _SPENT / N_steps),
        Le(information, gamma),
    ),
    source=Source(PAPER, "the other inequalities in the proof of Theorem 3", Provenance.DERIVED),
    proof="Cauchy and Schwarz; x/log(1 + x/nu^2) increases in x; gamma is the maximum.",
    remark=(
        "So the least regret is at most alpha sqrt(8 C gamma/N), C = k/log(1 + k/nu^2), which for "
        "k = 1 is the printed constant 1/log(1 + 1/nu^2)."
    ),
)
outside_both = Quantity(
    "outside",
    "probability that cost or reward ever leaves its bounds",
    Domain.PROBABILITY,
    r"\Pr(E^c\cup E_r^c)",
)
both_events = Theorem(
    label="safe-tuning/both-events",
    title="The bounds of cost and reward hold together with probability 1 - Delta",
    relation=Le(outside_both, Delta),
    source=Source(PAPER, "Theorem 3, its probability", Provenance.DERIVED),
    given=(PRIOR, LOUD, FORMULA),
    proof="Exact Gaussian tails, where the bound exp(-a^2/2) used twice would give 2 Delta.",
    uses=("safe-tuning/exact-tails",),
    trivial=Rational(1),
    remark="True as printed: 1 - Delta, although each surface's bounds are made for Delta alone.",
)
tails = Quantity(
    "tails", "sum over surfaces, targets and times of exact tails", Domain.NONNEGATIVE,
    r"\textstyle\sum_j2|Z|\,\mathrm{erfc}(\alpha_j/\sqrt2)",
)  # fmt: skip
exact_tails = Theorem(
    label="safe-tuning/exact-tails",
    title="Exact tails of both surfaces, over all targets and times, sum to less than Delta",
    relation=Le(tails, Rational(433, 500) * Delta),
    source=Source("holdfast", f"for Theorem 3 of {PAPER}", Provenance.DERIVED),
    proof="The sum over Delta is 12/pi^2 sum of erfcx(alpha_j/sqrt 2)/j^2, least |Z|/Delta worst.",
)
broken = Quantity(
    "broken",
    "largest of J_g - y - E over observations and J_g - b over seeds; at most 0 by assumption",
    latex=r"\max(\max_i(J_g(z_i)-y_i)-E,\max_{Z_0}J_g-b)",
)
observed = Theorem(
    label="safe-tuning/observed",
    title="What observations, a bound on the noise and L certify is safe, without any model",
    relation=Le(excess, broken),
    source=Source("holdfast, for Fiedler et al. 2024 (LoSBO)", "its safety", Provenance.DERIVED),
    given=(LIPSCHITZ,),
    proof="J_g(z') <= J_g(z) + L d <= y + E + broken + L d <= b + broken.",
    remark="The Gaussian process chooses only; its kernel may be as wrong as it likes.",
)

_ALGORITHM = Printed(
    "Y_N is the union over z in Y_{N-1} of all z' with u_N(z) + L d(z, z') <= b.",
    "This union, one step at a time, with [0, b] at the seed before any observation.",
)
literal_zero = Theorem(
    label="safe-tuning/literal-zero",
    title="The printed union with L = 0 put in literally certifies safe targets only",
    relation=Le(excess, miss),
    source=Source("holdfast", f"L = 0 of Appendix K.2 put into the union of {PAPER}",
                  Provenance.DERIVED),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: u_N(z) <= b does not speak of z', so one safe target certifies all.",
    remark="Theorem 2 is not touched: L = 0 would require that the cost is constant.",
    refutation=Refutation(
        FIDELITY,
        "It is about a setting of the experiments read literally; L = 0 has to mean the direct "
        "rule, by each target's own bound, which needs no L.",
        (
            _ALGORITHM,
            Printed("L = 0.", "Two targets, a seed of cost 0 and one of cost 2; the limit is 1."),
            Printed(
                "Costs are within the bounds.", "So are both: the miss is negative.", Le(miss, 0)
            ),
        ),
    ),
)  # fmt: skip
success = Quantity(
    "success", "probability that the first target tried is near-optimal", Domain.PROBABILITY,
    r"\Pr(\text{regret}\le\mathcal E)",
)  # fmt: skip
unit_regret = Theorem(
    label="safe-tuning/unit-regret",
    title="After the N that C = 1/log(1 + 1/nu^2) asks for, a good target has been tried",
    relation=Le(1 - Delta, success),
    source=Source("holdfast", f"Theorem 3 of {PAPER} without k <= 1, our form of its condition",
                  Provenance.DERIVED),
    standing=Standing.FALSE_UNPRINTED,
    proof="As for k <= 1.",
    remark="Ten targets, white kernel of variance k, E = alpha_1 sqrt(8 C gamma_1), so N = 1.",
    refutation=Refutation(
        FIDELITY,
        "A hypothesis, usual in this field, is not stated; Theorem 3 is not refuted. But a reward "
        "kernel of variance 100 is used in the experiments. Repaired by average-width.",
        (
            Printed(
                "N is the least with alpha sqrt(8 C gamma_N/N) <= E (our form; display unread).",
                "E is that bound at N = 1, so one target is tried, the first by a tie.",
            ),
            Printed("Targets are certified.", "All ten are, and costs play no part."),
            Printed("Delta is in (0, 1).", "Delta is 1/10.", Eq(Delta, Rational(1, 10))),
        ),
    ),
)  # fmt: skip
behind_last = Quantity("behind_last", "regret of the last target", latex="J_r(z^*)-J_r(z_N)")
last_target = Theorem(
    label="safe-tuning/last-target",
    title="The last target that is tried is near-optimal",
    relation=Le(
        behind_last,
        alpha * sqrt(8 * k_max * gamma / (N_steps * log(1 + k_max / nu2))),
    ),
    source=Source("holdfast", f"Algorithm 1, line 25, of {PAPER} with Theorem 3",
                  Provenance.DERIVED),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: the sum of regrets bounds the least, not the last.",
    remark="Theorem 3 claims it of one of the tried only; safe-tuning/regret says of which.",
    refutation=Refutation(
        FIDELITY,
        "The last target is safe, and no theorem says that it is good.",
        (
            Printed("The policy of the last z_N is used in operation.", "Its regret is computed."),
            Printed(
                "Rewards are within alpha_j sigma_j of the mean at all times.",
                "So they are: the miss is negative on the path.",
                Le(miss_r, 0),
            ),
        ),
    ),
)  # fmt: skip
counted = Quantity("counted", "least e_N(z) of certified z", Domain.COUNT, r"\min_{z\in Y}e_N(z)")
uncertified = Quantity("uncertified", "targets not certified", Domain.COUNT, r"|Z\setminus Y|")
printed_sign = Theorem(
    label="safe-tuning/printed-sign",
    title="With the printed sign every certified target is an expander of all the others",
    relation=Eq(counted, uncertified),
    source=Source("holdfast", f"from Section 6.2 and Algorithm 1, line 10, of {PAPER}",
                  Provenance.DERIVED),
    given=(Assumption("unrefuted", "No certified target's lower bound is above the limit."),),
    proof="l_N(z) <= b, so l_N(z) - L d <= b for every other target.",
    remark="Likely a slip; Theorems 2 and 3 stay true, and the expansion is merely uninformed.",
)  # fmt: skip
