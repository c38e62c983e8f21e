r"""Debiasing: what a tuned policy prefers regardless of context is divided out (TSDI).

:math:`\Delta(v;h)=\log\pi_{tuned}(v|h)-\log\pi_{ref}(v|h)`, for a token v in a context h;
:math:`\mu` is a law of contexts, :math:`b(v)=E_\mu\Delta(v;h)`, and the debiased policy is
:math:`\pi_{tuned}e^{-b}` normalised.  The paper was not available and no theorem of it is known;
all statements are ours.

Main results: `decomposition`, `context_free`, `idempotent`, `estimate`, `confidence`, `positions`,
`budget`, `logits`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le
from ..theorem import Assumption, Provenance, Source, Theorem

OURS = Source(
    "holdfast", "for the method of Tran et al. 2025 (TSDI), as recalled", Provenance.DERIVED
)

by_bias = Quantity("by_bias", "probability of a token, debiased", Domain.PROBABILITY)
by_rest = Quantity("by_rest", "with reference e^s, normalised", Domain.PROBABILITY)
mean_s = Quantity("mean_s", "mean of s(v; h) over contexts", latex=r"E_\mu s(v;\cdot)")
decomposition = Theorem(
    label="debiasing/decomposition",
    title="The main effect of a token goes, all that depends on the context stays",
    relation=Both(Eq(by_bias, by_rest), Eq(mean_s, 0)),
    source=OURS,
    proof="Delta = c(h) + b(v) + s(v; h); c(h) cancels when normalised.",
    remark="b is determined up to a constant, which cancels as well.",
)

reference = Quantity("reference", "its probability under the reference", Domain.PROBABILITY)
over = Quantity("over", "KL(context part kept | debiased)", Domain.NONNEGATIVE)
span_m = Quantity("span_m", "span of the mean of what depends on context", Domain.NONNEGATIVE)
meant = Quantity("meant", "probability by the reference and what was meant", Domain.PROBABILITY)
CONTEXT_FREE = Assumption("context-free", "Delta is a shift of tokens, the same in all contexts.")
context_free = Theorem(
    label="debiasing/context-free",
    title="Of a shift that is the same in all contexts nothing is left, wanted or not",
    relation=Both(Eq(by_bias, reference), Le(over, span_m**2 / 8)),
    source=OURS,
    given=(CONTEXT_FREE,),
    proof="s is 0; Hoeffding's lemma.",
    uses=("debiasing/decomposition", "tilts/nearness"),
    remark="The second part is for a wanted preference m added in all contexts: what is taken out "
    "with the bias costs no more.",
)

again = Quantity("again", "probability of a token, debiased twice", Domain.PROBABILITY)
once = Quantity("once", "probability of a token, debiased once", Domain.PROBABILITY)
error = Quantity("error", "mean of (Delta - c - b)^2, summed", Domain.NONNEGATIVE)
other_error = Quantity("other_error", "the same with other b and c", Domain.NONNEGATIVE)
idempotent = Theorem(
    label="debiasing/idempotent",
    title="Debiasing twice is debiasing once, and the bias is a least-squares fit",
    relation=Both(Eq(again, once), Le(error, other_error)),
    source=OURS,
    proof="The bias of the debiased policy is constant; double centring is a projection.",
    uses=("debiasing/decomposition",),
)

log_ratio = Quantity("log_ratio", "largest size of the log-ratio of both", Domain.NONNEGATIVE)
apart = Quantity("apart", "KL(debiased by b | by the estimate)", Domain.NONNEGATIVE)
span_e = Quantity("span_e", "span of estimate - b", Domain.NONNEGATIVE, r"\mathrm{sp}(\hat b-b)")
estimate = Theorem(
    label="debiasing/estimate",
    title="An estimate of the bias that is near gives a policy that is near",
    relation=Both(Le(log_ratio, span_e), Le(apart, span_e**2 / 8)),
    source=OURS,
    proof="They are tilts of each other by the difference.",
    uses=("tilts/nearness",),
)

high = Quantity("high", "P(some estimate is too high by t or more)", Domain.PROBABILITY)
missed = Quantity("missed", "P(some estimate is off by t or more)", Domain.PROBABILITY)
V = Quantity("V", "tokens", Domain.TRIALS, "V")
tail = Quantity("tail", "exp(-2 n t^2/M^2), n contexts, error t, range M", Domain.POSITIVE)
confidence = Theorem(
    label="debiasing/confidence",
    title="How many contexts an estimate needs",
    relation=Both(Le(high, V * tail), Le(missed, 2 * V * tail)),
    source=OURS,
    given=(Assumption("independent", "Contexts are drawn independently, by mu."),),
    proof="Hoeffding's inequality and a union over tokens.",
    remark="So within M sqrt(log(2 V/delta)/(2 n)) but with probability delta.",
)

later = Quantity("later", "P(token after position L|before) of debiased sequences")
kept = Quantity("kept", "the same of tuned sequences", Domain.PROBABILITY)
positions = Theorem(
    label="debiasing/positions",
    title="Each of the first L tokens has a bias of its own, and no later one is changed",
    relation=Both(Eq(by_bias, by_rest), Eq(later, kept)),
    source=OURS,
    proof="Position by position; the law of a later token given those before it is a factor.",
    uses=("debiasing/decomposition",),
)

whole = Quantity("whole", "KL(tuned | debiased) of whole sequences", Domain.NONNEGATIVE)
budget_sum = Quantity("budget_sum", "sum of squared spans of b_i", Domain.NONNEGATIVE)
change = Quantity("change", "change of the mean of a score", latex=r"E_{tuned}f-E_{debiased}f")
range_f = Quantity("range_f", "range of the score", Domain.NONNEGATIVE, r"\mathrm{sp}(f)")
budget = Theorem(
    label="debiasing/budget",
    title="Debiasing L tokens moves a sequence by no more than their spans",
    relation=Both(Le(whole, budget_sum / 8), Le(change**2, range_f**2 * budget_sum / 16)),
    source=OURS,
    proof="The chain rule of KL, Hoeffding's lemma a token; Pinsker's inequality.",
    uses=("tilts/nearness",),
)

by_logits = Quantity("by_logits", "with means of logits, not normalised", Domain.PROBABILITY)
logits = Theorem(
    label="debiasing/logits",
    title="Logits may be averaged in the place of logarithms of probabilities",
    relation=Eq(by_bias, by_logits),
    source=OURS,
    proof="They differ by c(h) alone.",
    uses=("debiasing/decomposition",),
)
