r"""Which return to ask of a policy: laws tilted to experts, corrected predictions, many samples.

Notation.  R is a return (UN-normalised), on finitely many values; P is the law that is predicted in
a context h, w(R) the probability that an episode of return R is an expert's.  The law to sample
from is P(R) w(R), normalised; an exponential w is the tilt of multi-game decision transformers.

Main results: `tilt`, `dominance`, `stability`, `correction`, `calibration`, `coverage`,
`best_of_many`, `bayes_step`.
"""

from sympy import exp, log

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Sharp, Source, Theorem

PAPER = "Tatematsu and Wachi 2025, Target Return Optimizer"
_OURS = Source(f"holdfast, for {PAPER}", "", Provenance.DERIVED)

kappa = Quantity("kappa", "strength of the tilt", Domain.POSITIVE, r"\kappa")
slope = Quantity("slope", "derivative of the mean return in kappa", latex=r"\partial_\kappa E")
variance = Quantity("variance", "variance of the tilted law", latex=r"\mathrm{Var}_\kappa R")
mean = Quantity("mean", "mean of the tilted law", latex=r"E_\kappa R")
factor = Quantity("Z", "expectation of exp(kappa R)", Domain.POSITIVE, r"E_0e^{\kappa R}")
tilt_kl = Quantity("KL", "divergence of the tilted law", latex=r"D(P_\kappa\|P_0)")
missed = Quantity(
    "missed", "tilted probability of less than the largest return", Domain.PROBABILITY
)
top = Quantity("p_top", "probability of the largest return", Domain.PROBABILITY, "p")
gap = Quantity("gap", "largest return less the second", Domain.POSITIVE, "d")
tilt = Theorem(
    label="expert-returns/tilt",
    title="An exponential tilt raises the mean by the variance and ends at the largest return",
    relation=Both(
        Eq(slope, variance),
        Eq(tilt_kl, kappa * mean - log(factor)),
        Le(missed, (1 - top) / top * exp(-kappa * gap)),
    ),
    source=_OURS,
    proof="Differentiate log E exp(kappa R); the largest return loses against none.",
    remark="The largest return of the support: a tilt gives no weight to what was never predicted.",
)

tail_expert = Quantity("tail_expert", "tilted probability of at least r", Domain.PROBABILITY)
tail = Quantity("tail", "predicted probability of at least r", Domain.PROBABILITY)
MONOTONE = Assumption("monotone", "The share of experts does not fall as the return grows.")
dominance = Theorem(
    label="expert-returns/dominance",
    title="Asking for an expert's return raises every tail if experts' shares do not fall",
    relation=Ge(tail_expert, tail),
    source=_OURS,
    given=(MONOTONE,),
    proof="P(R >= r) is a mean over returns; an increasing weight and an indicator correlate.",
    remark="Isotonic regression makes any table of shares monotone; the claim fits it.",
)

distance = Quantity("TV", "total variation of the two tilted laws", Domain.PROBABILITY)
eta = Quantity("eta", "largest error of log w", Domain.POSITIVE, r"\eta")
stability = Theorem(
    label="expert-returns/stability",
    title="An error of eta in log w moves the tilted law by tanh(eta/2) at most",
    relation=Le(distance, (exp(eta) - 1) / (exp(eta) + 1)),
    source=_OURS,
    proof="The likelihood ratio of the two laws has a spread of exp(2 eta); two atoms are worst.",
    remark="Half the l1 distance. Attained by two returns of odds exp(-eta).",
    sharp=(Sharp("1", "Attained by a law split in two halves whose errors are opposite."),),
)

loss = Quantity("loss", "expected log-loss of the correction", latex=r"\ell")
loss_other = Quantity("loss_other", "expected log-loss of another one", latex=r"\ell'")
divergence = Quantity("excess", "expected divergence of the other one", latex=r"E D")
correction = Theorem(
    label="expert-returns/correction",
    title="No function of the predicted bin predicts returns better than the corrected prediction",
    relation=Both(Eq(loss_other, loss + divergence), Ge(divergence, 0)),
    source=_OURS,
    proof="The log-loss given a predicted bin is the entropy plus a divergence.",
    remark="On the data from which the correction is counted; the excess is 0 for that law alone.",
)

frequency = Quantity("frequency", "share of a return where it was predicted so", Domain.PROBABILITY)
stated = Quantity("stated", "probability that the corrected prediction states", Domain.PROBABILITY)
calibration = Theorem(
    label="expert-returns/calibration",
    title="Where the correction of a predicted bin states a probability, that is the frequency",
    relation=Eq(frequency, stated),
    source=_OURS,
    proof="Average over all predicted bins with the same corrected law.",
    uses=("expert-returns/correction",),
    remark="For predictions of one bin: mixtures over soft predictions need not be calibrated.",
)

covered = Quantity("covered", "probability that all bins are covered", Domain.PROBABILITY)
delta = Quantity("delta", "probability of failure allowed", Domain.PROBABILITY, r"\delta")
SHARED = Assumption("shared", "Each of the B intervals fails with probability at most delta/B.")
coverage = Theorem(
    label="expert-returns/coverage",
    title="Clopper and Pearson's intervals at delta/B cover the shares of experts of all B bins",
    relation=Ge(covered, 1 - delta),
    source=_OURS,
    given=(SHARED,),
    proof="Each interval inverts two exact tests; a union over the bins.",
)

largest = Quantity("largest", "expected largest of m returns", latex=r"E\max")
layers = Quantity("layers", "sum over returns of the tails of the largest", latex=r"\Sigma")
shortfall = Quantity("shortfall", "largest return less the expected largest of m")
spread = Quantity("spread", "largest return less the least", Domain.NONNEGATIVE)
m_samples = Quantity("m", "samples", Domain.TRIALS, "m")
best_of_many = Theorem(
    label="expert-returns/best-of-many",
    title="The largest of m sampled returns misses the largest of all by the spread at (1 - p)^m",
    relation=Both(Eq(largest, layers), Le(shortfall, spread * (1 - top) ** m_samples)),
    source=_OURS,
    proof="Sum the tails 1 - F(r)^m; below the largest return F is at most 1 - p.",
    remark="So a tilt hardly matters where m p is large, and does where the largest is rare.",
)

chosen = Quantity("chosen", "probability of a return by the rule", Domain.PROBABILITY)
truth = Quantity("truth", "probability of a return of experts in h", Domain.PROBABILITY)
CONDITIONAL = Assumption("conditional", "Given the return, experts do not depend on the context.")
bayes_step = Theorem(
    label="expert-returns/bayes-step",
    title="Tilting the prediction by the shares of experts gives the law of experts' returns",
    relation=Eq(chosen, truth),
    source=_OURS,
    given=(CONDITIONAL,),
    proof="Bayes' rule in the context h.",
    remark="Without the assumption it fails: two contexts with other shares at equal returns.",
)
