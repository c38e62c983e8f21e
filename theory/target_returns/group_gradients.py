r"""Policy gradients from groups of episodes: baselines, ratios, labels, reset states, truncation.

Notation.  J is the expected return (UN-normalised) of a policy that is told a target; its gradient
is taken along one direction.  A group has G independent episodes of returns R_i and mean
:math:`\bar R`; score is the gradient of an episode's log-likelihood, rho its ratio of likelihoods
under the new and the old policy.  Hindsight writes the return that did follow beside each step, in
place of what the policy was told.

Main results: `own_baseline`, `normalised`, `intended`, `ignored_labels`, `relabelled`,
`token_ratios`, `reset_states`, `shared_state`, `active_sampling`, `clipping`, `truncation`,
`mode_tail`.
"""

from sympy import Abs

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le, Ne
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem

PAPER = "Luo and Zhu 2026, Online Finetuning Decision Transformers with Pure RL Gradients"
_OURS = Source(f"holdfast, for {PAPER}", "", Provenance.DERIVED)
_REINFORCE = "The gradient of a probability is the probability times the score."

G = Quantity("G", "episodes of a group", Domain.TRIALS, "G")
gradient = Quantity("gradient", "gradient of J", latex=r"\nabla J")
estimate = Quantity("estimate", "expected estimate of a group", latex=r"E\hat g")
own_baseline = Theorem(
    label="group-gradients/own-baseline",
    title="A group's mean as baseline shrinks the gradient by 1 - 1/G",
    relation=Eq(estimate, (1 - 1 / G) * gradient),
    source=_OURS,
    proof="Only the own return in the mean is correlated with an episode's score.",
)

p = Quantity("p", "probability of success", Domain.PROBABILITY, "p")
spread = Quantity("spread", "expectation of sqrt(k (G - k))", Domain.NONNEGATIVE, "S")
normalised = Theorem(
    label="group-gradients/normalised",
    title="Advantages over their standard deviation rescale the gradient of a success probability",
    relation=Both(
        Eq(estimate, gradient * spread / (G * p * (1 - p))),
        Le(spread**2, G * (G - 1) * p * (1 - p)),
    ),
    source=_OURS,
    proof="Given k successes of G the estimate is that of a binomial law; Jensen's inequality.",
    uses=("group-gradients/own-baseline",),
    remark="Returns 0 and 1; 0 where all agree. 1/sqrt(p (1 - p)) is the factor in the limit only.",
)

INTENDED = Assumption("intended", "Ratios and scores are given what the policy was told.")
SUPPORT = Assumption("support", "The old policy takes every action that the new one takes.")
SEQUENCE = Assumption("sequence", "The ratio is the product over all steps.")
weighted = Quantity("weighted", "expectation of rho R under the old policy", latex=r"E\rho R")
J = Quantity("J", "return of the new policy", latex="J")
with_baseline = Quantity("with_baseline", "expectation of (R - b) score", latex=r"E(R-b)s")
intended = Theorem(
    label="group-gradients/intended",
    title="Ratios and scores given the intended targets are unbiased",
    relation=Both(Eq(weighted, J), Eq(with_baseline, gradient)),
    source=_OURS,
    given=(INTENDED, SEQUENCE, SUPPORT),
    proof=_REINFORCE + " The mean score is 0, so any baseline may be subtracted.",
    remark="The gradient is at the old policy; any constant b.",
)

IGNORED = Assumption("ignored", "The policy does the same whatever it is told.")
ignored_labels = Theorem(
    label="group-gradients/ignored-labels",
    title="Relabelling in hindsight does no harm where the policy ignores what it is told",
    relation=Both(Eq(weighted, J), Eq(with_baseline, gradient)),
    source=_OURS,
    given=(IGNORED, SUPPORT),
    proof="Ratios and scores are then those given the intended targets.",
    uses=("group-gradients/intended",),
)
relabelled = Theorem(
    label="group-gradients/relabelled",
    title="Scores given relabelled targets, with a baseline, are unbiased",
    relation=Eq(with_baseline, gradient),
    source=Source(
        "holdfast", f"what fine-tuning on relabelled data would need; {PAPER}", Provenance.DERIVED
    ),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: the denominator of the ratio is not the law that the actions came from.",
    remark="The paper is reported to call such ratios wrong; here is by how much they are.",
    refutation=Refutation(
        "Compared on 2026-11-29: no text prints it; formulas of the paper were not legible, so the "
        "estimator is ours.",
        "It strikes at the old policy already, for policies that listen to what they are told; not "
        "where scores given what followed equal those given the target.",
        (
            Printed(
                "As on relabelled data: asked for a target, the return that followed beside it.",
                "One step, two even actions of return 0 and 1, and the target 1.",
            ),
            Printed(
                "Returns less a baseline weight the scores.",
                "The baseline is 1/2; the estimate is expected to be 1/4, and the gradient is 1/2.",
                Ne(with_baseline - gradient, 0),
            ),
        ),
    ),
)

T = Quantity("T", "steps of an episode", Domain.TRIALS, "T")
token = Quantity(
    "token", "gradient with the mean of the steps' ratios", latex=r"\nabla E\bar\rho R"
)
geometric = Quantity("geometric", "gradient with their geometric mean")
token_ratios = Theorem(
    label="group-gradients/token-ratios",
    title="Means of the ratios of the steps have the gradient over T, at the old policy",
    relation=Both(Eq(token, gradient / T), Eq(geometric, gradient / T)),
    source=_OURS,
    proof="At ratio 1 both have the derivative score/T.",
    uses=("group-gradients/intended",),
    remark="Away from the old policy both are biased; the product is not.",
)

shared = Quantity("shared", "expected estimate, one reset state for a group", latex=r"E\hat g_s")
apart = Quantity("apart", "expected estimate, one for each episode", latex=r"E\hat g_m")
mean_gradient = Quantity(
    "mean_gradient", "gradient of the mean of J over reset states", latex=r"\nabla E_dJ"
)
reset_states = Theorem(
    label="group-gradients/reset-states",
    title="One reset state for a group or one for each episode: the same expectation",
    relation=Both(Eq(shared, (1 - 1 / G) * mean_gradient), Eq(apart, (1 - 1 / G) * mean_gradient)),
    source=_OURS,
    proof="The baseline of a group is independent of the other episodes, mixed or not.",
    uses=("group-gradients/own-baseline",),
)

ONE_STATE = Assumption("one-state", "All episodes of a group start in one reset state.")
moment = Quantity("moment", "second moment of the estimate", Domain.NONNEGATIVE, r"E\hat g^2")
moment_offset = Quantity(
    "moment_offset", "the same with returns moved by their reset state's number"
)
shared_state = Theorem(
    label="group-gradients/shared-state",
    title="What a reset state is worth does not disturb a group that shares it",
    relation=Eq(moment_offset, moment),
    source=_OURS,
    given=(ONE_STATE,),
    proof="A number that is added to all returns of a group leaves their differences.",
)

COVERS = Assumption("covers", "Each reset state that counts is sampled.")
sampled = Quantity("sampled", "expected R score, reset states drawn by q", latex=r"E_qRs")
by_sampling = Quantity("by_sampling", "gradient of the mean of J under q", latex=r"\nabla E_qJ")
reweighted = Quantity("reweighted", "the same, weighted by d/q", latex=r"E_q(d/q)Rs")
active_sampling = Theorem(
    label="group-gradients/active-sampling",
    title="Sampling reset states with q ascends the mean under q; weights d/q restore it",
    relation=Both(Eq(sampled, by_sampling), Eq(reweighted, mean_gradient)),
    source=_OURS,
    given=(COVERS,),
    proof="Importance sampling of the reset state.",
    remark="Without a baseline; that of a group shrinks all of them by 1 - 1/G.",
)

clipped = Quantity("clipped", "expected clipped objective", latex=r"E\min")
improvement = Quantity("improvement", "return of the new policy less the baseline", latex="J-b")
clipping = Theorem(
    label="group-gradients/clipping",
    title="The clipped objective is at most what the new policy gains on the baseline",
    relation=Le(clipped, improvement),
    source=_OURS,
    given=(INTENDED, SUPPORT),
    proof="min(rho A, clip(rho) A) <= rho A; take expectations.",
    uses=("group-gradients/intended",),
)

cut = Quantity("cut", "discounted return less what the first L rewards give", latex=r"e_\gamma")
cut_plain = Quantity("cut_plain", "undiscounted return less what they give", latex=r"e_1")
L = Quantity("L", "rewards that are counted", Domain.COUNT, "L")
H = Quantity("H", "steps of an undiscounted episode", Domain.COUNT, "H")
discount = Quantity("gamma", "discount", Domain.DISCOUNT, r"\gamma")
r_max = Quantity("r_max", "largest size of a reward", Domain.NONNEGATIVE, r"r_{\max}")
WITHIN = Assumption("within", "No more rewards are counted than the episode has steps.")
truncation = Theorem(
    label="group-gradients/truncation",
    title="What a return loses when it is scored by its first L rewards",
    relation=Both(
        Le(Abs(cut), discount**L * r_max / (1 - discount)), Le(Abs(cut_plain), (H - L) * r_max)
    ),
    source=_OURS,
    given=(WITHIN,),
    proof="Sum the rest.",
    remark="Attained by a constant reward.",
)

TAIL = Assumption("settled-tail", "After the sampled steps the policy has one action of all.")
scored = Quantity("scored", "expected score, the tail by the likeliest actions", latex=r"E\tilde R")
mode_tail = Theorem(
    label="group-gradients/mode-tail",
    title="Scoring the tail with the likeliest actions measures the policy if the tail is settled",
    relation=Eq(scored, J),
    source=_OURS,
    given=(TAIL,),
    proof="The two policies act alike.",
    remark="Else the score is that of another policy: sampled first, greedy afterwards.",
)
