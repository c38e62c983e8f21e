r"""Inference-aware alignment: the policy is tuned for what best-of-n makes of it (IAMA).

Notation.  One prompt; :math:`R_i` is the expected reward of the best of :math:`n_i` by reward i, of
spread :math:`\varrho_i`; R is their sum with weights, or their smooth minimum
:math:`-\log(\sum w_ie^{-\gamma R_i})/\gamma`, with the first variation
:math:`\sum_i\partial_iR\,\delta R_i`.  The loss is :math:`\beta\,\mathrm{KL}(\pi\|\pi_{ref})-R`.
Mirror descent by a constant L goes to the policy proportional to
:math:`\exp((\delta R+\beta\log\pi_{ref}+L\log\pi_t)/(\beta+L))`.  ``|e|`` is half the span of e.

The paper was read in abstract and introduction only; statements are recalled from notes of others,
or ours.  They need R concave: of soft best-of-n they say nothing.

Main results: `two_goals`, `aggregates`, `minimum`, `sharp`, `rate`, `inexact`, `unbiased`,
`baseline`, `plug_in`, `group_error`.
"""

from sympy import Rational

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Source, Theorem

IAMA = "Takakura, Wachi, Higuchi, Miyaguchi, Suzuki 2026 (IAMA)"
OURS = Source("holdfast", "for best-of-n", Provenance.DERIVED)

rising = Quantity("rising", "N y (1 - F)^(N - 1)", Domain.POSITIVE)
falling = Quantity("falling", "N (1 - y) F^(N - 1)", Domain.POSITIVE)
two_goals = Theorem(
    label="inference-aware/two-goals",
    title="Two opposed goals are balanced by a policy that spreads",
    relation=Eq(rising, falling),
    source=Source(IAMA, "Proposition 3.1", Provenance.RECALLED),
    given=(Assumption("opposed", "N >= 2, beta = 0, even weights, rewards as below."),),
    proof="With F = y^a/(y^a + (1 - y)^a), a = 1/(N - 1), both terms are equal.",
    remark="On [0, 1] with rewards 1 - y^2, 1 - (1 - y)^2, no KL; uniform for N = 2.  The policy "
    "that is best without best-of-n is the point 1/2.",
)

value = Quantity("value", "R of the policy", latex="R")
after = Quantity("after", "R of another policy", latex="R[\\pi']")
along = Quantity("along", "change times first variation", latex=r"\langle\delta R,\pi'-\pi\rangle")
L = Quantity("L", "sum of weighted L_i, or the largest L_i", Domain.NONNEGATIVE, "L")
sharpness = Quantity("sharpness", "of the smooth minimum; 0 for a sum", Domain.NONNEGATIVE, "g")
reach = Quantity("reach", "largest n_i times spread of reward i", Domain.NONNEGATIVE, "c")
moved = Quantity("moved", "KL(other | policy)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi'\|\pi)")
aggregates = Theorem(
    label="inference-aware/aggregates",
    title="Sums and smooth minima of best-of-n are concave, and smooth relative to KL",
    relation=Both(
        Le(after, value + along),
        Ge(after, value + along - (L + sharpness * reach**2 / 4) * moved),
    ),
    source=OURS,
    proof="Of each R_i by best-of-n/smooth.  A smooth minimum bends by sharpness/2 times a "
    "variance of changes of R_i, each at most reach times total variation; Pinsker's inequality.",
    uses=("best-of-n/smooth",),
)

lower = Quantity("lower", "minimum of R_i at the policy with e less of one response")
upper = Quantity("upper", "minimum of R_i with e more of it")
middle = Quantity("middle", "minimum of R_i at the policy between")
e = Quantity("e", "change of a probability", Domain.POSITIVE, "e")
both_far = Quantity("both_far", "sum of both KL from the policy between", Domain.NONNEGATIVE)
minimum = Theorem(
    label="inference-aware/minimum",
    title="The minimum of two goals is concave, but not smooth relative to KL",
    relation=Both(Eq(lower + upper, 2 * middle - 2 * e), Le(both_far, 8 * e**2)),
    source=OURS,
    proof="Two responses, each with probability 1/2, good for one goal each, n = 1.  KL is at most "
    "the chi-square divergence.",
    remark="A multiple of KL cannot pay for 2e as e vanishes, whatever line is subtracted.",
)

least = Quantity("least", "least of the R_i at a policy", latex=r"\min_iR_i")
least_other = Quantity("least_other", "the same at another policy")
least_middle = Quantity("least_middle", "the same half way")
total = Quantity("total", "-log(sum of weights)/sharpness")
lightest = Quantity("lightest", "-log(smallest weight)/sharpness")
sharp = Theorem(
    label="inference-aware/sharp",
    title="The minimum of goals is concave, and a sharp smooth minimum is near it",
    relation=Both(
        Ge(2 * least_middle, least + least_other),
        Ge(value, least + total),
        Le(value, least + lightest),
    ),
    source=OURS,
    proof="Each R_i is concave; the sum of w e^(-g R_i) is at most the sum of weights times the "
    "largest e^(-g R_i), and at least the smallest weight times that.",
    uses=("best-of-n/smooth",),
    remark="For weights 1/m the smooth minimum is at most log(m)/g above the minimum.",
)

gap = Quantity("gap", "loss after T steps less that of a policy, the best one say")
beta = Quantity("beta", "weight of the KL divergence", Domain.POSITIVE, r"\beta")
far = Quantity("far", "KL(policy | first iterate)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi\|\pi_0)")
growth = Quantity("growth", "((L + beta)/L)^T - 1", Domain.POSITIVE)
CONCAVE = Assumption("concave", "R is concave, and smooth relative to KL with constant L >= 0.")
START = Assumption("start", "The first policy has full support.")
STEPS = Assumption("steps", "Steps are 1/L, without errors, T >= 1 of them.")
rate = Theorem(
    label="inference-aware/rate",
    title="Mirror descent converges at a linear rate",
    relation=Le(gap, beta * far / growth),
    source=Source(IAMA, "Theorem 5.2; here against any policy", Provenance.RECALLED),
    given=(CONCAVE, START, STEPS),
    proof="The loss is smooth relative to KL by L, and strongly convex by beta; telescope.",
    uses=("inference-aware/aggregates",),
    remark="With the certified L, steps 1/L, and the last loss.  L = 0: one step is exact.  "
    "Attained for T = 1 in the limit of rare responses, even with beta/L as it is.",
)

mean_gap = Quantity("mean_gap", "mean loss of iterates 1, .., T less the least loss")
half = Quantity("half", "((L + beta/2)/L)^T - 1", Domain.POSITIVE)
error = Quantity("error", "largest mean |error of the slope|^2", Domain.NONNEGATIVE, r"\epsilon")
residual = Quantity("residual", "largest mean |residual|^2 of a step", Domain.NONNEGATIVE)
ERRORS = Assumption("errors", "Mean squares of errors and of residuals are at most the two.")
RANGE = Assumption("range", "The iterate t is drawn from 1, .., T, in proportion to powers of w.")
inexact = Theorem(
    label="inference-aware/inexact",
    title="Mirror descent with inexact slopes and steps",
    relation=Le(mean_gap, beta * far / (2 * half) + 2 * (error + residual) / beta),
    source=Source(IAMA, "Theorem 5.3; the range is ours", Provenance.RECALLED),
    given=(CONCAVE, START, RANGE, ERRORS),
    proof="As the rate; an error f adds at most beta/2 KL and |f|^2/beta, for which half of the "
    "strong convexity pays.",
    uses=("inference-aware/rate",),
    remark="w = (L + beta/2)/L.  The notes do not say which range is meant; from 0 it is false.",
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

plain = Quantity("plain", "derivative of the mean reward by the logit")
other_update = Quantity("other_update", "mean update of another logit")
other_gradient = Quantity("other_gradient", "derivative of R by the other logit")
other_plain = Quantity("other_plain", "derivative of the mean reward by the other logit")
mixed, other_mixed = (
    (1 - 1 / M) * ((1 - 2 / M) * best + 2 * one / M)
    for best, one in ((gradient, plain), (other_gradient, other_plain))
)
plug_in = Theorem(
    label="inference-aware/plug-in",
    title="The first variation at the group itself pulls towards plain reward",
    relation=Both(Eq(update, mixed), Eq(other_update, other_mixed)),
    source=OURS,
    proof="For n = 2 it is linear in the group's law, where each response counts among its rivals.",
    uses=("best-of-n/variation",),
    remark="n = 2.  So the update is no multiple of the gradient of R; the error is of order 1/M.",
)

missed = Quantity("missed", "mean of |first variation at the group's law - true|^2")
spread = Quantity("spread", "largest less smallest reward", Domain.NONNEGATIVE, r"\varrho")
group_error = Theorem(
    label="inference-aware/group-error",
    title="How far the first variation at a group is from the true one",
    relation=Le(missed, Rational(1, 16) * (n * (n - 1) * spread) ** 2 / M),
    source=Source(IAMA, "Lemma of section 5.3; constant ours", Provenance.RECALLED),
    proof="u^(n - 1) changes by at most n - 1 times u; a share of M draws has variance 1/(4M).",
    uses=("best-of-n/variation",),
    remark="Attained for n = 2 by two responses of probability 1/2.",
)
