r"""Expected costs in place of a chance constraint, as the flipping literature uses them.

Notation.  ``H = E sum_{i >= 1} gamma_c^i 1[s_i unsafe]`` from the start, UN-normalised, discounted
by a gamma_c of its own; ``risk = Pr(some of s_1, ..., s_T unsafe)``.

Main results: `two_actions`, `cumulative_costs`, `cost_range`, `discounted_cost`, `conservative`,
`worst_case`, `always_stochastic`, `step_bound`, `union_of_steps`.
"""

from sympy import Min, sqrt

from .cmdp import ONE_COST, J_after, J_before, cost_after, cost_before, gamma, n_actions
from .flipping import PAPER, T_window
from .quantities import Domain, Quantity
from .relations import Both, Eq, Ge, Le, Lt
from .theorem import Assumption, Provenance, Source, Standing, Theorem
from .trust_region import CONTINUOUS, kl

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
    title="The same under one bound on any cumulative cost",
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

V_cost = Quantity("V_H", "best value with H from the start at most alpha", latex="V_H(\\alpha)")
V_chance = Quantity("V_chance", "best value that meets every window", latex=r"V^\star_\alpha")
conservative = Theorem(
    label="surrogate-costs/conservative",
    title="The problem with the discounted cost is a conservative approximation",
    relation=Le(V_cost, V_chance),
    source=Source(PAPER, "Remark 2", Provenance.READ),
    standing=Standing.REFUTED,
    proof="As printed: by Theorem 5.",
    uses=("surrogate-costs/discounted-cost",),
    remark="False by the same model, at every gamma_c < 1: the values are alpha/gamma_c and alpha.",
)

BINDABLE = Assumption("feasible", "Some policy meets the budget.")
J_deterministic = Quantity(
    "J_det", "return of a deterministic policy within the budget", latex=r"J(\pi_{\rm det})"
)
J_optimal = Quantity("J_opt", "best return within the budget", latex=r"J^\star")
always_stochastic = Theorem(
    label="surrogate-costs/always-stochastic",
    title="An optimal policy under an expected cost has to randomise",
    relation=Lt(J_deterministic, J_optimal),
    source=Source(PAPER, "introduction, with reference to Altman 1999", Provenance.READ),
    given=(BINDABLE, ONE_COST),
    standing=Standing.REFUTED,
    proof="As printed: read off that one constraint may need one randomisation.",
    remark="False where the budget is slack, or is the cost of a deterministic policy on the hull.",
)

H_step = Quantity("H_new", "discounted cost after the step", Domain.NONNEGATIVE, r"H(\theta_{k+1})")
alpha_step = Quantity("alpha_s", "level met by the linearised cost", latex=r"\alpha_s")
eta = Quantity("eta", "largest expected raw cost, max_s E_new[c]", Domain.PROBABILITY, r"\eta")
step_bound = Theorem(
    label="surrogate-costs/step-bound",
    title="A step that meets the linearised cost exceeds it by sqrt(2 KL) gamma eta/(1 - gamma)^2",
    relation=Le(H_step, alpha_step + sqrt(2 * kl) * gamma * eta / (1 - gamma) ** 2),
    source=Source(
        PAPER, "section 4.4, with reference to constrained policy optimisation", Provenance.READ
    ),
    given=(CONTINUOUS,),
    standing=Standing.REFUTED,
    proof="As printed: quoted with the raw cost for the largest advantage.",
    uses=("trust-region/worst-case-violation",),
    remark="False: the raw cost says nothing of risk that comes later. H counts s_1 with weight 1.",
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
