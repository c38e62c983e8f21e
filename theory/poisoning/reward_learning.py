r"""What a linear reward learns from preference labels, and what changing the labels changes.

Notation as for poisoning.  The Bradley-Terry loss of a reward r in R^n with soft labels theta is
``L(r; theta) = sum_i rho_i [softplus(r.phi_i) - theta_i r.phi_i]``, and ``Phi D theta`` are the
moments of the labels (D = diag of rho).  The policy of a reward is
``pi_r(y|x) ~ pi_ref(y|x) exp(r.phi(x, y)/tau)``; direct preference optimisation has the same loss,
with ``r = tau log(pi/pi_ref)``.  A ridge adds ``lambda/2 norm(r)^2``.  Exact statements measure
rewards in units of log 2: then a pair of whole score k is won with probability 2^k/(1 + 2^k).

Main results: `existence`, `sufficient_statistic`, `same_training`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq
from ..theorem import Assumption, Provenance, Source, Theorem
from .least_cost import PAPER

separable = Quantity(
    "separable", "1 if a reward separates the labels, else 0", Domain.PROBABILITY, r"s(\theta)"
)
interior = Quantity(
    "interior",
    "1 if labels strictly between 0 and 1 have the same moments, else 0",
    Domain.PROBABILITY,
    r"i(\theta)",
)
existence = Theorem(
    label="reward-learning/existence",
    title="Labels are separated, or labels strictly between 0 and 1 have the same moments",
    relation=Eq(separable + interior, 1),
    source=Source(
        "holdfast, after Albert and Anderson 1984", "for labels in [0, 1]", Provenance.DERIVED
    ),
    proof=(
        "Stiemke's theorem. A reward r separates if r.phi_i >= 0 where theta_i = 1, <= 0 where "
        "theta_i = 0, = 0 between, not all 0. The loss has no minimiser in the first case: it "
        "falls along r. In the second it is that of interior labels, which grows in every "
        "direction that moves a score, so a minimiser exists."
    ),
    remark="So soft labels never separate; of hard ones, those that the features can order.",
)

loss_gap = Quantity(
    "loss_gap", "L(r; theta) - L(r; theta'), in units of log 2", latex=r"L(r;\theta)-L(r;\theta')"
)
moment_score = Quantity(
    "moment_score",
    "(Phi D (theta - theta')).r, in units of log 2",
    latex=r"(\Phi D(\theta-\theta'))^\top r",
)
moment_squares = Quantity(
    "moment_squares",
    "square of the norm of Phi D (theta - theta')",
    Domain.NONNEGATIVE,
    r"\|\Phi D(\theta-\theta')\|_2^2",
)
gap_along = Quantity(
    "gap_along",
    "L(r; theta) - L(r; theta') at a multiple q of r = log 2 Phi D (theta - theta')",
    latex=r"\Delta L(q\Phi D(\theta-\theta'))",
)
multiple = Quantity("q", "the multiple", Domain.TRIALS, "q")
sufficient_statistic = Theorem(
    label="reward-learning/sufficient-statistic",
    title="The loss depends on the labels through their moments alone, and determines these",
    relation=Both(Eq(loss_gap, -moment_score), Eq(gap_along, -multiple * moment_squares)),
    source=Source("holdfast", f"behind Theorem 1 of {PAPER}", Provenance.DERIVED),
    proof="The labels enter the loss linearly; r = Phi D (theta - theta') tells moments apart.",
    remark=(
        "So the losses coincide as functions exactly if the moments do, whether or not a minimiser "
        "exists; then so do all minimisers, with any penalty, and all full-batch training paths."
    ),
)

MOMENTS = Assumption("moments", "Both labellings have the same moments Phi D theta.")
gradient_gap = Quantity(
    "gradient_gap",
    "square of the distance of the gradients of both losses at a reward",
    Domain.NONNEGATIVE,
    r"\|\nabla L(r;\theta)-\nabla L(r;\theta')\|_2^2",
)
path_gap = Quantity(
    "path_gap",
    "largest distance of the iterates of two full-batch descents in fixed-point arithmetic",
    Domain.NONNEGATIVE,
    r"\max_t\|r_t-r'_t\|_\infty",
)
ridge_slope = Quantity(
    "ridge_slope",
    "square of the gradient of one labelling's ridge loss at the other's ridge minimiser",
    Domain.NONNEGATIVE,
    r"\|\nabla L_\lambda(\hat r(\theta);\theta')\|_2^2",
)
same_training = Theorem(
    label="reward-learning/same-training",
    title="The cheapest labels train the reward along the same path to the same ridge minimiser",
    relation=Both(Eq(gradient_gap, 0), Eq(path_gap, 0), Eq(ridge_slope, 0)),
    source=Source("holdfast", f"behind Theorem 1 of {PAPER}", Provenance.DERIVED),
    given=(MOMENTS,),
    proof="The losses differ by a function that is 0.",
    uses=("reward-learning/sufficient-statistic",),
    remark="Full-batch and expected labels only: mini-batches of hard labels see other noise.",
)
