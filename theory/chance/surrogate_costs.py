r"""Expected costs in place of a chance constraint, as the flipping literature uses them.

Notation.  ``H = E sum_{i >= 1} gamma_c^i 1[s_i unsafe]`` from the start, UN-normalised, discounted
by a gamma_c of its own; ``risk = Pr(some of s_1, ..., s_T unsafe)``.

Main results: `two_actions`, `cumulative_costs`, `cost_range`, `discounted_cost`, `worst_case`,
`conservative`, `always_stochastic`, `step_bound`, `union_of_steps`.
"""

from sympy import Min, Rational, sqrt

from ..cmdp.foundations import ONE_COST, gamma
from ..cmdp.randomisation import J_after, J_before, cost_after, cost_before, n_actions
from ..cmdp.trust_region import CONTINUOUS, kl
from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Gt, Le, Lt
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .flipping import FIDELITY, PAPER, T_window

gamma_c = Quantity("gamma_c", "discount of the unsafe states", Domain.DISCOUNT, r"\gamma_c")
H_before = Quantity("H", "discounted number of unsafe states before", Domain.NONNEGATIVE, r"H(\pi)")
H_after = Quantity("H_new", "the same after", Domain.NONNEGATIVE, r"H(\pi')")
two_actions = Theorem(
    label="surrogate-costs/two-actions",
    title="Under one bound on the discounted unsafe states, two actions in each state are enough",
    relation=Both(Le(n_actions, 2), Ge(J_after, J_before), Le(H_after, H_before)),
    source=Source(PAPER, "Theorem 4", Provenance.READ),
    given=(ONE_COST,),
    proof="One expected cost from one start, whatever its discount: the coordinate-vertex theorem.",
    uses=("cmdp/coordinate-vertex",),
    remark=(
        "The printed proof, a Bellman equation that holds in every state, is invalid: the budget "
        "that is left depends on the path. With gamma_c = gamma one state randomises at most."
    ),
)

cumulative_costs = Theorem(
    label="surrogate-costs/cumulative-costs",
    title="Under one bound on any cumulative cost, two actions in each state are enough",
    relation=Both(Le(n_actions, 2), Ge(J_after, J_before), Le(cost_after, cost_before)),
    source=Source(PAPER, "Remark 1", Provenance.READ),
    given=(ONE_COST,),
    proof="The coordinate-vertex theorem; with finitely many states no Lipschitz bound is needed.",
    uses=("cmdp/coordinate-vertex",),
)

H_cost = Quantity("H", "discounted number of unsafe states", Domain.NONNEGATIVE, "H")
cost_range = Theorem(
    label="surrogate-costs/range",
    title="The discounted number of unsafe states is at most gamma_c/(1 - gamma_c)",
    relation=Le(H_cost, gamma_c / (1 - gamma_c)),
    source=Source(f"holdfast, for {PAPER}", "repairs the proof of Theorem 4", Provenance.DERIVED),
    standing=Standing.REPAIRED,
    proof="Every state from s_1 on may be unsafe.",
    remark="Repair: the source bounds it by 1. Attained where all states are unsafe.",
)

risk_window = Quantity(
    "risk", "probability of an unsafe state within T steps", Domain.PROBABILITY, r"\Pr(\exists i)"
)
risk_worst = Quantity(
    "risk_worst",
    "largest risk of a policy with H <= alpha",
    Domain.PROBABILITY,
    r"\max_{H\le\alpha}\Pr(\exists i)",
)
alpha = Quantity("alpha", "level", Domain.NONNEGATIVE, r"\alpha")
discounted_cost = Theorem(
    label="surrogate-costs/discounted-cost",
    title="For some gamma_c near 1 and small T, H within the level keeps the risk within it",
    relation=Le(risk_worst, alpha),
    source=Source(PAPER, "Theorem 5", Provenance.READ),
    standing=Standing.REFUTED,
    proof="As printed: the discounted sum exceeds the risk for gamma_c large and T small.",
    uses=("surrogate-costs/worst-case",),
    remark=(
        "The source says that gamma_c and T exist. None does: where a state is unsafe in the first "
        "step or never, H = gamma_c p at every T, so some policy has the risk min(1, alpha/gamma_c)"
        " > alpha, for every gamma_c < 1. Repaired by a factor gamma_c^T on alpha, "
        "chance/safe-expected-cost. For finitely many policies some gamma_c does exist."
    ),
    refutation=Refutation(
        FIDELITY,
        "It strikes what the problem with the discounted cost is used for, and Remark 2 with it. "
        "The excess is a factor of 1/gamma_c at T = 1, small for gamma_c near 1.",
        (
            Printed(
                "The sets of policy parameters and states are compact, and assumption 2 holds.",
                "The risk of the first step is the parameter, in [0, 1]; g is never 0.",
            ),
            Printed(
                "There are a gamma_c near 1 and a T small enough.",
                "The smallest T there is, 1, and every gamma_c < 1: each has its own policy.",
                Le(T_window, 1),
                here=True,
            ),
            Printed(
                "H = E sum over i >= 1 of gamma_c^i 1[s_i unsafe] is at most alpha.",
                "H = gamma_c p for the risk p. Shown is H of the policy whose risk is halfway "
                "between alpha and alpha/gamma_c; the largest risk with H <= alpha is refuted.",
                Le(H_cost, alpha),
            ),
        ),
    ),
)
gamma_used = Quantity("gamma_c", "discount of the unsafe states", Domain.POSITIVE, r"\gamma_c")
worst_case = Theorem(
    label="surrogate-costs/worst-case",
    title="Where a state is unsafe at once or never, H <= alpha allows the risk alpha/gamma_c",
    relation=Eq(risk_worst, Min(1, alpha / gamma_used)),
    source=Source(f"holdfast, for {PAPER}", "what refutes Theorem 5", Provenance.DERIVED),
    proof="H = gamma_c p if the first step is unsafe with probability p, which any policy may be.",
    remark="More than alpha for every gamma_c < 1 and every alpha in (0, 1), whatever T.",
)

V_cost = Quantity(
    "V_H",
    "best value with H from the start at most alpha",
    latex=r"V_H(\alpha)",
    program=r"\max_\pi V^\pi(s)\quad\text{subject to}\quad "
    r"\mathbb E^\pi\sum_{i\ge 1}\gamma_c^i\mathbf 1[s_i\text{ unsafe}]\le\alpha",
)
V_chance = Quantity(
    "V_chance",
    "best value that meets every window",
    latex=r"V^\star_\alpha",
    program=(
        r"\max_\pi V^\pi(s)\quad\text{subject to}"
        r"\quad \Pr\nolimits^\pi(s_1,\dots,s_T\text{ safe}\mid s_0=s')\ge 1"
        r"-\alpha\text{ for all safe }s'"
    ),
)
conservative = Theorem(
    label="surrogate-costs/conservative",
    title="The problem with the discounted cost is a conservative approximation",
    relation=Le(V_cost, V_chance),
    source=Source(PAPER, "Remark 2", Provenance.READ),
    standing=Standing.REFUTED,
    proof="As printed: by Theorem 5.",
    uses=("surrogate-costs/discounted-cost",),
    remark="False by the model of surrogate-costs/discounted-cost, at every gamma_c < 1: the "
    "values are alpha/gamma_c and alpha. Repaired by a factor gamma_c^T on alpha, "
    "chance/safe-expected-cost.",
    refutation=Refutation(
        FIDELITY,
        "As for Theorem 5: it strikes the use of the problem as a safe substitute, by a factor of "
        "1/gamma_c at T = 1.",
        (
            Printed(
                "Conservative: every policy that is allowed under the discounted cost is allowed "
                "under the chance constraint, so its best value is no larger.",
                "The best value under the cost is alpha/gamma_c, under the windows alpha.",
                Gt(V_cost, V_chance),
            ),
            Printed(
                "The constraint is H <= alpha from the start, with the same alpha.",
                "Both problems have the level 1/10, the same model and T = 1.",
                Eq(alpha, Rational(1, 10)),
                here=True,
            ),
            Printed(
                "As in Theorem 5 there are a gamma_c near 1 and a T small enough.",
                "T = 1 is the smallest there is; gamma_c = 9/10 here, and at every gamma_c < 1 the "
                "values are alpha/gamma_c and alpha (surrogate-costs/worst-case).",
            ),
        ),
    ),
)

BINDABLE = Assumption("feasible", "Some policy meets the budget.")
J_deterministic = Quantity(
    "J_det", "return of a deterministic policy within the budget", latex=r"J(\pi_{\rm det})"
)
J_optimal = Quantity(
    "J_opt",
    "best return within the budget",
    latex=r"J^\star",
    program=r"\max_\pi J_r(\pi)\quad\text{subject to}\quad J_c(\pi)\le d",
)
always_stochastic = Theorem(
    label="surrogate-costs/always-stochastic",
    title="An optimal policy under an expected cost has to randomise",
    relation=Lt(J_deterministic, J_optimal),
    source=Source(PAPER, "introduction, with reference to Altman 1999", Provenance.READ),
    given=(BINDABLE, ONE_COST),
    standing=Standing.REFUTED,
    proof="As printed: read off that one constraint may need one randomisation.",
    remark="False where the budget is slack, or is the cost of a deterministic policy on the hull.",
    refutation=Refutation(
        FIDELITY + " The book that it refers to was not read and is not what is refuted.",
        "A sentence of the introduction, no theorem, and an edge: for almost every budget that "
        "binds, a stationary optimal policy does have to randomise.",
        (
            Printed(
                "The problem has an expected cumulative safety constraint.",
                "One discounted cost with a budget that a policy meets.",
            ),
            Printed(
                "The optimal policy is always stochastic, with no condition on the budget.",
                "A deterministic policy is within the budget, and its return is the optimal value.",
                Ge(J_deterministic, J_optimal),
            ),
        ),
    ),
)

H_step = Quantity(
    "H_new",
    "discounted number of unsafe states after the step",
    Domain.NONNEGATIVE,
    r"H(\theta_{k+1})",
)
alpha_step = Quantity(
    "alpha_s",
    "H before the step plus the raw cost of the new actions in the states visited before it",
    Domain.NONNEGATIVE,
    r"\alpha_s",
)
eta = Quantity(
    "eta", "largest expected raw cost over all states, max_s E_new[c]", Domain.PROBABILITY, r"\eta"
)
step_bound = Theorem(
    label="surrogate-costs/step-bound",
    title="A step exceeds the raw linearised cost by at most sqrt(2 KL) gamma eta/(1 - gamma)^2",
    relation=Le(H_step, alpha_step + sqrt(2 * kl) * gamma * eta / (1 - gamma) ** 2),
    source=Source(PAPER, "section 4.4", Provenance.READ),
    given=(CONTINUOUS,),
    proof=(
        "The new cost is its mean under the discounted law of the new policy over 1 - gamma. Both "
        "laws differ by at most gamma/(1 - gamma) E TV in total variation, the cost is between 0 "
        "and eta, and E TV <= sqrt(KL/2) by Pinsker: half of the second term is enough."
    ),
    uses=("trust-region/occupancy-shift",),
    remark=(
        "H = E sum over i >= 1 of gamma^i 1[s_i unsafe], and alpha_s = H of the old policy + "
        "E_{d_old} E_new[c]/(1 - gamma): the raw indicator, nothing subtracted. True where the "
        "states of eta are all states and KL is averaged over the old discounted law, or its "
        "maximum. The text that was read cannot tell the set of all states from the set of safe "
        "states; over the latter it is false, and so is it with the advantage in place of the raw "
        "cost, which the source does not print. Both are mutants."
    ),
)

boole = Quantity(
    "boole",
    "sum of the probabilities that s_i is unsafe",
    Domain.NONNEGATIVE,
    r"\textstyle\sum_i\Pr(s_i\text{ unsafe})",
)
safe_sum = Quantity(
    "safe",
    "sum of the probabilities that s_i is safe",
    Domain.NONNEGATIVE,
    r"\textstyle\sum_i\Pr(s_i\text{ safe})",
)
union_of_steps = Theorem(
    label="surrogate-costs/union-of-steps",
    title="A bound on the sum of the risks of the steps is conservative",
    relation=Both(Le(risk_window, boole), Eq(boole, T_window - safe_sum)),
    source=Source(PAPER, "Theorem 9", Provenance.READ),
    proof="Boole's inequality: the event is a union over the steps.",
    uses=("chance/sandwich",),
    remark="The source writes 1 for T in the second part, and for all i where some i is meant.",
)
