"""Attacks on a learnt reward: what label flips bring about, and what is printed of it.

Notation as in `reward_learning`.

Main results: `same_policy`, `reformulation`, `literal_attack`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .least_cost import NOTE, PAPER, cost
from .reward_learning import separable

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
