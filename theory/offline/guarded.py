r"""Planning in a model of logged data behind a guardian: OGSRL's statements with constants (ours).

U is a set of supported pairs (s, a), T the true transitions, :math:`\hat T` those of the model,
:math:`\varepsilon` the largest l1 error of :math:`\hat T` on U, and :math:`V_{\hat g}` the value in
the model of the cost :math:`\hat g = 1` outside of U.  Values are UN-normalised sums from the
initial law, of a function q with values in [0, q_max].

Main results: `value_error`, `safety`, `optimality`, `kept`, `window`, `safe`.  What logged data
certify is in `guarded_bounds`, how large errors are in `guarded_samples`, what is printed in
`guarded_printed`.
"""

from sympy import Abs

from ..cmdp.foundations import gamma
from ..quantities import Domain, Quantity
from ..relations import Both, Le
from ..theorem import Assumption, Provenance, Source, Standing, Theorem

PAPER = "Yan, Shen et al. 2025 (OGSRL)"
OURS = Source("holdfast", f"for the setting of {PAPER}", Provenance.DERIVED)
BOUNDED = Assumption("bounded-reward", "q lies in [0, q_max].")

V = Quantity("V", "value under the true law", Domain.NONNEGATIVE, "V_{q,T}")
V_model = Quantity("V_model", "value in the model", Domain.NONNEGATIVE, r"V_{q,\hat T}")
q_max = Quantity("q_max", "largest q", Domain.NONNEGATIVE, r"q_{\max}")
eps = Quantity("epsilon", "largest l1 error on U", Domain.NONNEGATIVE, r"\varepsilon")
V_g = Quantity("V_g", "value of the cost outside of U", Domain.NONNEGATIVE, r"V_{\hat g,\hat T}")
out = (1 - gamma) * V_g
value_error = Theorem(
    label="guarded/value-error",
    title="How far a value in the model is from the true one: inside of U and outside",
    relation=Both(
        Le(Abs(V_model - V), gamma * q_max / (1 - gamma) ** 2 * (eps / 2 * (1 - out) + out)),
        Le(
            Abs(V_model - V),
            gamma * q_max * eps / (2 * (1 - gamma) ** 2) + gamma * q_max * V_g / (1 - gamma),
        ),
    ),
    source=OURS,
    given=(BOUNDED,),
    proof="The simulation lemma; the total variation is eps/2 at most on U and 1 outside.",
    uses=("model-based/simulation-lemma",),
    remark="OG-A. Attained where epsilon = 0 and a step outside of U ends what is paid in the "
    "model alone: the corpus has such a case of each part. A hunt that is told of no landmark does "
    "not come to it in 40 s, so it is not in the atlas. The second right side is B_q(V_g).",
)

V_cost = Quantity("V_cost", "true cost of the plan", Domain.NONNEGATIVE, "V_{c,T}")
budget = Quantity("budget", "its budget", Domain.NONNEGATIVE, r"\bar c")
limit = Quantity("limit", "budget of the cost outside of U", Domain.NONNEGATIVE, r"\bar c_{\hat g}")
TIGHTENED = Assumption("tightened", "In the model the cost of the plan is at most c - B_c(limit).")
GUARDED = Assumption("guarded", "In the model the plan has V_g <= limit.")
safety = Theorem(
    label="guarded/safety",
    title="A plan within tightened budgets of the model keeps the true ones",
    relation=Le(V_cost, budget),
    source=OURS,
    given=(TIGHTENED, GUARDED),
    proof="OG-A for the cost, whose bound grows with V_g.",
    uses=("guarded/value-error",),
    remark="OG-B.",
)

V_rival = Quantity("V_rival", "true value of a comparator", Domain.NONNEGATIVE, r"V_{r,T}(\pi)")
V_plan = Quantity("V_plan", "true value of the plan", Domain.NONNEGATIVE, r"V_{r,T}(\hat\pi)")
eps_r = Quantity("eps_r", "what the plan loses in the model", Domain.NONNEGATIVE, r"\varepsilon_r")
COMPARABLE = Assumption("comparable", "In the model the comparator keeps all budgets of the plan.")
optimality = Theorem(
    label="guarded/optimality",
    title="The plan competes with every policy that keeps the guard and the tightened budgets",
    relation=Le(
        V_rival - V_plan,
        eps_r + gamma * q_max * eps / (1 - gamma) ** 2 + 2 * gamma * q_max * limit / (1 - gamma),
    ),
    source=OURS,
    standing=Standing.REPAIRED,
    given=(BOUNDED, COMPARABLE),
    proof="OG-A twice, and optimality in the model between them.",
    uses=("guarded/value-error",),
    remark="OG-C, eps_r + 2 B_r(limit). Repair of Theorems 3 and 7: the comparator keeps the guard "
    "and the budgets, in place of every policy that is feasible for Problem ESRL.",
)

NEVER = Assumption("never-leaves", "Under the true law the policy never leaves U.")
kept = Theorem(
    label="guarded/kept",
    title="A policy that never leaves U looks almost so in the model",
    relation=Le(V_g, gamma * eps / (2 * (1 - gamma) ** 2)),
    source=OURS,
    given=(NEVER,),
    proof="The simulation lemma along true trajectories, which stay in U.",
    uses=("model-based/simulation-lemma",),
    remark="A limit of that size keeps such a policy a comparator of guarded/optimality.",
)

reached = Quantity("reached", "probability to leave U within H steps", Domain.PROBABILITY,
                   r"\Pr(\exists h\le H:\hat g=1)")  # fmt: skip
H = Quantity("H", "window, steps 0 to H", Domain.COUNT, "H")
window = Theorem(
    label="guarded/window",
    title="A discounted cost of leaving U bounds the probability to leave it in a window",
    relation=Le(gamma**H * reached, V_g),
    source=OURS,
    standing=Standing.REPAIRED,
    given=(Assumption("patient", "gamma > 0."),),
    proof="The first exit within the window pays gamma^H at least.",
    remark="OG-F: the limit gamma^H beta gives probability beta. Both sides are under one law: "
    "about the true one it says nothing without OG-A. Repairs Lemma 1 read with the limit beta.",
)

V_safe = Quantity("V_safe", "true cost of a policy with the slack", Domain.NONNEGATIVE, "V_{c,T}")
safe = Theorem(
    label="guarded/safe",
    title="A slack in every estimated cost that is at least the errors means safe",
    relation=Le(V_safe, budget),
    source=OURS,
    standing=Standing.REPAIRED,
    given=(
        Assumption("slack", "min_j (c_j - estimate_j) >= eps_s."),
        Assumption("accurate", "Estimates are eps_s off at most."),
    ),
    proof="Triangle inequality.",
    remark="Repairs the definition of eps_s-safe: the least slack in place of the largest "
    "absolute difference.",
)
