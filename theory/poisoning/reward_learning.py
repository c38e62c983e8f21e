r"""What a linear reward learns from preference labels, and what changing the labels changes.

Notation as for poisoning.  The Bradley-Terry loss of a reward r in R^n with soft labels theta is
``L(r; theta) = sum_i rho_i [softplus(r.phi_i) - theta_i r.phi_i]``, and ``Phi D theta`` are the
moments of the labels (D = diag of rho).  The policy of a reward is
``pi_r(y|x) ~ pi_ref(y|x) exp(r.phi(x, y)/tau)``; direct preference optimisation has the same loss,
with ``r = tau log(pi/pi_ref)``.  A ridge adds ``lambda/2 norm(r)^2``.  Exact statements measure
rewards in units of log 2: then a pair of whole score k is won with probability 2^k/(1 + 2^k).

Main results: `existence`, `sufficient_statistic`, `same_training`, `same_policy`,
`reformulation`, `literal_attack`, `stability`, `policy_stability`, `rounding_stability`.
"""

from sympy import sqrt

from .poisoning import NOTE, PAPER, cost, m_copies
from .quantities import Domain, Quantity
from .relations import Both, Eq, Ge, Le
from .theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem

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

PROMPT = Assumption("prompt-only", "The rewards differ by a function of the prompt alone.")
policy_shift = Quantity(
    "policy_shift",
    "total variation between the policies of both rewards",
    Domain.PROBABILITY,
    r"D_{\rm TV}(\pi_r,\pi_{r'})",
)
p_reward = Quantity(
    "p_reward",
    "probability sigma(r(y) - r(z)) that y is preferred to z",
    Domain.PROBABILITY,
    r"\sigma(r(y)-r(z))",
)
p_implicit = Quantity(
    "p_implicit",
    "the same for the implicit reward tau log(pi/pi_ref) of the policy",
    Domain.PROBABILITY,
    r"\sigma(\tau\log\tfrac{\pi(y)}{\pi_{\rm ref}(y)}-\tau\log\tfrac{\pi(z)}{\pi_{\rm ref}(z)})",
)
same_policy = Theorem(
    label="reward-learning/same-policy",
    title="Rewards that differ by a function of the prompt have one policy, and its preferences",
    relation=Both(Eq(policy_shift, 0), Eq(p_implicit, p_reward)),
    source=Source("Rafailov et al. 2023", "Lemmas 1 and 2", Provenance.RECALLED),
    given=(PROMPT,),
    proof="Normalising pi_ref exp(r/tau) cancels what depends on the prompt alone.",
    remark=(
        "So direct preference optimisation has the loss of the reward itself, and what is said "
        "here of rewards holds for it where log(pi/pi_ref) is linear in features."
    ),
)

COVERAGE = Assumption(
    "coverage",
    "The feature differences of the training pairs span those of all prompts and answers.",
)
ATTAINED = Assumption(
    "attained", "Labels count as poisoned only if their loss has a minimiser at all."
)
cost_attack = Quantity(
    "cost_attack",
    "least l1 cost of labels for which the target's reward minimises the loss",
    Domain.NONNEGATIVE,
    r"\min\{\|\zeta\|_1:r_A\in\mathrm{argmin} L\}",
)
slope = Quantity(
    "slope",
    "square of the gradient of the cheapest labels' loss at the target's reward",
    Domain.NONNEGATIVE,
    r"\|\nabla L(r_A;\theta^\star)\|_2^2",
)
policy_gap = Quantity(
    "policy_gap",
    "largest total variation between the target's policy and that of a minimiser",
    Domain.PROBABILITY,
    r"\max_{r\in\mathrm{argmin}}D_{\rm TV}(\pi_r,\pi_{r_A})",
)
reformulation = Theorem(
    label="reward-learning/reformulation",
    title="The cheapest labels that teach the target's policy solve a convex program",
    relation=Both(Eq(cost_attack, cost), Eq(slope, 0), Eq(policy_gap, 0)),
    source=Source(PAPER, f"Theorem 1 and Assumption 1, {NOTE}", Provenance.RECALLED),
    given=(COVERAGE, ATTAINED),
    proof=(
        "r_A minimises the convex loss exactly if Phi D theta = Phi D sigma(Phi^T r_A), which is "
        "Phi D theta_A. All minimisers have the same scores on the training pairs, and with "
        "coverage on all pairs, so the same policy."
    ),
    uses=("reward-learning/sufficient-statistic", "reward-learning/existence"),
    remark="That the minimiser exists has to be asked for; see literal-attack.",
)

cost_labels = Quantity("cost_labels", "l1 cost of the labels", Domain.NONNEGATIVE, r"\|\zeta\|_1")
literal_attack = Theorem(
    label="reward-learning/literal-attack",
    title="Labels whose minimisers are all as the target's cost at least the convex program",
    relation=Ge(cost_labels, separable * cost),
    source=Source(PAPER, f"the attack problem and Theorem 1, {NOTE}", Provenance.RECALLED),
    standing=Standing.FALSE_AS_RECALLED,
    proof="As summarised: the constraint is that the set of minimisers is within the target's.",
    uses=("reward-learning/reformulation",),
    remark=(
        "Taken literally the empty set of minimisers will do, and labels that are separated have "
        "it: benign hard labels of few pairs already meet the constraint, at the cost 0. Repaired "
        "in reformulation by asking for a minimiser; the source itself may mean that."
    ),
    refutation=Refutation(
        "The paper was not read. The constraint is known from two secondary sources; a standing "
        "assumption of the paper may require a minimiser (2026-11-29).",
        "A degenerate case: labels that are separable, as few pairs in many dimensions are. It "
        "shows what has to be asked for, and nothing about the attack where a minimiser exists.",
        (
            Printed(
                "As recalled: the set of minimisers of the loss is within the rewards that have "
                "the target's policy.",
                "The benign labels are separable, so their loss has no minimiser, and the empty "
                "set is within every set.",
                Eq(separable, 1),
            ),
            Printed(
                "As recalled: the attack's cost is that of the convex program.",
                "The labels are unchanged and cost 0, while the program costs more.",
                Eq(cost_labels, 0),
            ),
        ),
    ),
)

distance = Quantity(
    "distance",
    "Euclidean distance of the ridge minimisers",
    Domain.NONNEGATIVE,
    r"\|\hat r(\theta)-\hat r(\theta')\|_2",
)
moment_gap = Quantity(
    "moment_gap",
    "norm of Phi D (theta - theta')",
    Domain.POSITIVE,
    r"\|\Phi D(\theta-\theta')\|_2",
)
ridge = Quantity("ridge", "the ridge lambda", Domain.POSITIVE, r"\lambda")
stability = Theorem(
    label="reward-learning/stability",
    title="The ridge minimiser moves by at most 1/lambda times the moments",
    relation=Le(distance, moment_gap / ridge),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    proof="The ridge loss is lambda-strongly convex, and the gradients differ by a constant.",
    uses=("reward-learning/sufficient-statistic",),
    remark=(
        "No smaller constant: with features of norm epsilon the curvature of the loss itself is "
        "O(epsilon^2), and the ratio tends to 1."
    ),
)

log_ratio_gap = Quantity(
    "log_ratio_gap",
    "difference of the log-ratio of two answers between the two policies",
    Domain.NONNEGATIVE,
    r"\Delta\log\frac{\pi(y|x)}{\pi(y'|x)}",
)
length = Quantity(
    "length", "norm of phi(x, y) - phi(x, y')", Domain.POSITIVE, r"\|\phi(x,y)-\phi(x,y')\|_2"
)
tau = Quantity("tau", "temperature of the policy", Domain.POSITIVE, r"\tau")
policy_stability = Theorem(
    label="reward-learning/policy-stability",
    title="The policy's log-ratios move by at most length times moments over lambda tau",
    relation=Le(log_ratio_gap, length * moment_gap / (ridge * tau)),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    proof="The log-ratio is (r.phi(x, y) - r.phi(x, y'))/tau plus that of the reference policy.",
    uses=("reward-learning/stability",),
)

n_moved = Quantity("k", "labels that are no multiples of 1/m", Domain.COUNT, "k")
longest = Quantity(
    "longest",
    "largest sum of squares of rho_i times a column of Phi",
    Domain.NONNEGATIVE,
    r"\max_i\|\rho_i\varphi_i\|_2^2",
)
rounding_stability = Theorem(
    label="reward-learning/rounding-stability",
    title="Rounding k labels to m copies moves the ridge minimiser by O(k/(m lambda)) only",
    relation=Le(distance, n_moved * sqrt(longest) / (2 * m_copies * ridge)),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    proof="Each of the k labels moves by at most 1/(2m), and the moments by that times phi_i.",
    uses=("reward-learning/stability",),
    remark="At a vertex of the cheapest labels k is at most the rank of Phi.",
)
