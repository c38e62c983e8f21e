r"""What updates from groups of samples do in expectation: baselines, scales, estimates of KL.

Notation.  One prompt; a group is of G independent responses of the policy, with mean reward
:math:`\bar R`.  Gradients are along one direction of the logits; the score of a response is the
gradient of its log-probability.  With :math:`d=\log\pi_{ref}-\log\pi` of a sample, k1 is -d, k2 is
:math:`d^2/2`, k3 is :math:`e^d-d-1`.  An estimate stands *in the loss* where it is differentiated
itself, and carries the *ratio* where it is multiplied by the policy over the one that sampled,
which is 1 and has the score as gradient.  Sequences have a law of the next token for each history.

That a group's mean as baseline shrinks the gradient by 1 - 1/G is ``group-gradients/own-baseline``.

Main results: `leave_one_out`, `fixed_point`, `pairs`, `estimators`, `token_kl`,
`token_fixed_point`.
"""

from sympy import sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq
from ..theorem import Assumption, Provenance, Source, Theorem
from .tilts import beta

OURS = Source("holdfast", "for updates from groups", Provenance.DERIVED)

estimate = Quantity("estimate", "expected update of a group", latex=r"E\hat g")
gradient = Quantity("gradient", "gradient of E r", latex=r"\nabla E r")
estimate_kl = Quantity(
    "estimate_kl", "the same with r - beta log(pi/reference) as reward", latex=r"E\hat g_{KL}"
)
gradient_kl = Quantity(
    "gradient_kl", "gradient of KL(pi | reference)", latex=r"\nabla\mathrm{KL}(\pi\|\pi_{ref})"
)
leave_one_out = Theorem(
    label="group-updates/leave-one-out",
    title="The mean of the others as baseline leaves the gradient as it is",
    relation=Both(Eq(estimate, gradient), Eq(estimate_kl, gradient - beta * gradient_kl)),
    source=OURS,
    proof="It is independent of the own response; and the mean score is 0.",
    uses=("group-gradients/own-baseline",),
    remark="So with KL in the reward the update vanishes at the tilt by r alone.",
)

G = Quantity("G", "responses of a group", Domain.TRIALS, "G")
s = Quantity("s", "share of the rewards that the policy is tilted by", Domain.POSITIVE, "s")
push = Quantity("push", "expected update of a group, by rewards less their mean")
pull = Quantity("pull", "beta times the gradient of KL(pi | reference)")
TILTED = Assumption("tilted", "The policy is the tilt by s r.")
fixed_point = Theorem(
    label="group-updates/fixed-point",
    title="With the group's mean as baseline, rewards and KL balance at the tilt by (1 - 1/G) r",
    relation=Eq(s * push, (1 - 1 / G) * pull),
    source=OURS,
    given=(TILTED,),
    proof="At that tilt beta times the gradient of KL is s times that of E r.",
    uses=("group-gradients/own-baseline", "tilts/gibbs"),
    remark="So they are equal at s = 1 - 1/G alone, where the gradient is not 0.  Multiply rewards "
    "by G/(G - 1), or leave the own one out, to end at the tilt by r.",
)

pi = Quantity("pi", "probability of y", Domain.POSITIVE, r"\pi(y)")
F = Quantity("F", "probability of a reward at most r(y)", Domain.PROBABILITY, "F(y)")
F_below = Quantity("F_below", "of a reward below r(y)", Domain.PROBABILITY, "F^-(y)")
at_y = Quantity("at_y", "expected update of the logit of y", latex=r"E\hat g(y)")
at_other = Quantity("at_other", "expected update of the logit of y'", latex=r"E\hat g(y')")
gradient_y = Quantity("gradient_y", "gradient of E r by the logit of y")
gradient_other = Quantity("gradient_other", "gradient of E r by the logit of y'")
STANDARDISED = Assumption(
    "standardised", "Advantages are divided by the group's standard deviation, over G - 1."
)
pairs = Theorem(
    label="group-updates/pairs",
    title="With groups of two, standardised advantages see the order of rewards alone",
    relation=Eq(at_y, pi * (F + F_below - 1) / sqrt(2)),
    source=OURS,
    given=(STANDARDISED,),
    proof="They are plus and minus 1 over the root of 2, whatever the rewards are.",
    uses=("group-gradients/normalised",),
    remark="So with three rewards or more the update is not in the direction of the gradient.",
)

mean_k3 = Quantity("mean_k3", "mean of k3", Domain.NONNEGATIVE, r"E_\pi k_3")
KL = Quantity("KL", "KL(pi | reference)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi\|\pi_{ref})")
forward = Quantity(
    "forward", "gradient of KL(reference | pi)", latex=r"\nabla\mathrm{KL}(\pi_{ref}\|\pi)"
)
k1_loss = Quantity("k1_loss", "expected gradient of k1 in the loss", latex=r"E\nabla k_1")
k2_loss = Quantity("k2_loss", "of k2", latex=r"E\nabla k_2")
k3_loss = Quantity("k3_loss", "of k3", latex=r"E\nabla k_3")
k1_ratio = Quantity("k1_ratio", "of k1 with the ratio", latex=r"E\nabla\rho k_1")
k3_ratio = Quantity("k3_ratio", "of k3 with the ratio", latex=r"E\nabla\rho k_3")
ON_POLICY = Assumption("on-policy", "Responses are those of the policy itself, and single tokens.")
estimators = Theorem(
    label="group-updates/estimators",
    title="Which divergence an estimate of KL in the loss pulls along",
    relation=Both(
        Eq(mean_k3, KL),
        Eq(k1_loss, 0),
        Eq(k2_loss, gradient_kl),
        Eq(k3_loss, forward),
        Eq(k1_ratio, gradient_kl),
        Eq(k3_ratio, gradient_kl),
    ),
    source=OURS,
    given=(ON_POLICY,),
    proof="The gradient of a sample's term, plus its value times the score where the ratio is.",
    remark="k3 has the right mean and, without the ratio, the gradient of the other divergence; k1 "
    "in the loss does nothing.",
)

tokens = Quantity(
    "tokens", "sum over tokens of the gradients of their KL", latex=r"\sum_tE\nabla\mathrm{KL}_t"
)
future = Quantity(
    "future", "sum over tokens of the KL of later ones times the score",
    latex=r"\sum_tE\,\mathrm{KL}_{>t}s_t",
)  # fmt: skip
token_kl = Theorem(
    label="group-updates/token-kl",
    title="KL token by token in the loss misses what a token does to later ones",
    relation=Eq(gradient_kl, tokens + future),
    source=OURS,
    proof="KL of sequences is the mean of the sum of the tokens'; differentiate law and terms.",
    uses=("group-updates/estimators",),
    remark="For sequences of one token nothing is missed.",
)

update = Quantity("update", "gradient of E r less beta times that of the tokens' KL")
AT_TILT = Assumption("at-tilt", "The policy is the tilt of the law of sequences by r.")
token_fixed_point = Theorem(
    label="group-updates/token-fixed-point",
    title="With KL token by token in the loss, the tilt of sequences is no fixed point",
    relation=Eq(update, beta * future),
    source=OURS,
    given=(AT_TILT,),
    proof="There the gradient of E r is beta times that of KL.",
    uses=("group-updates/token-kl", "tilts/soft-bellman"),
    remark="With KL of the sequence in the reward it is one, by group-updates/leave-one-out.",
)
