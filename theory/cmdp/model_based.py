r"""Values in a learned model and in the true one.

Notation.  T the true transition law, T^ the model, V_T(pi) the UN-normalised value from the initial
law, rho^ the un-normalised occupancy of the policy in the model, rewards in [0, r_max],
``u(s, a) >= TV(T^, T)(s, a)`` an error bound, TV half the l1 distance.

Main results: `simulation_lemma`, `simulation_bound`, `pessimism`, `pessimistic_optimality`.
"""

from sympy import Abs

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Sharp, Source, Theorem
from .foundations import gamma

BOUNDED = Assumption("bounded-reward", "Rewards lie in [0, r_max].")
ERROR_BOUND = Assumption("error-bound", "u(s, a) is at least the total variation of the model.")

_MOPO = "Yu et al. 2020 (MOPO)"

V_true = Quantity("V", "value in the true model", latex="V_T(\\pi)")
V_model = Quantity("V_model", "value in the learned model", latex=r"V_{\hat T}(\pi)")
drift = Quantity(
    "drift",
    "occupancy-weighted error of the model on the true value",
    latex=r"\langle\hat\rho,(\hat T-T)V\rangle",
)
simulation_lemma = Theorem(
    label="model-based/simulation-lemma",
    title="Telescoping lemma: the value error is the model error seen along the way",
    relation=Eq(V_model - V_true, gamma * drift),
    source=Source(_MOPO, "Lemma 4.1", Provenance.RECALLED),
    proof="Telescope the true value along trajectories of the model.",
)

V_pays = Quantity("V", "value in the true model, rewards >= 0", Domain.NONNEGATIVE, r"V_T(\pi)")
V_learned = Quantity(
    "V_model", "value in the learned model, rewards >= 0", Domain.NONNEGATIVE, r"V_{\hat T}(\pi)"
)
r_max = Quantity("r_max", "largest reward", Domain.NONNEGATIVE, r"r_{\max}")
weighted_error = Quantity(
    "W", "occupancy-weighted l1 error", Domain.NONNEGATIVE, r"\hat\rho\,\|\hat T-T\|_1"
)
max_error = Quantity("epsilon", "largest l1 error", Domain.NONNEGATIVE, r"\varepsilon")
simulation_bound = Theorem(
    label="model-based/simulation-bound",
    title="The value error in terms of the l1 error of the model",
    relation=Both(
        Le(Abs(V_learned - V_pays), gamma * r_max * weighted_error / 2 / (1 - gamma)),
        Le(Abs(V_learned - V_pays), gamma * r_max * max_error / 2 / (1 - gamma) ** 2),
    ),
    source=Source(_MOPO, "Lemma 4.1, with explicit constants", Provenance.DERIVED),
    given=(BOUNDED,),
    proof="The true value has span at most r_max/(1 - gamma), and T^ - T has zero mass.",
    uses=("model-based/simulation-lemma",),
    remark="The constant is sharp: the ratio tends to one on a one-state leak.",
    sharp=(
        Sharp("1/2", "Attained by a leak out of the state that pays, into one that pays nothing."),
        Sharp("1/2", "The ratio tends to one on a one-state leak that vanishes.", 1),
    ),
)

penalty = Quantity("U", "occupancy-weighted error bound", Domain.NONNEGATIVE, r"\hat\rho\,u")
pessimism = Theorem(
    label="model-based/pessimism",
    title="The penalised model never promises more than the truth",
    relation=Le(V_learned - gamma * r_max / (1 - gamma) * penalty, V_pays),
    source=Source(_MOPO, "Theorem 4.2, with explicit constants", Provenance.DERIVED),
    given=(BOUNDED, ERROR_BOUND),
    proof="The simulation lemma with the span of the value.",
    uses=("model-based/simulation-bound",),
    remark="u bounds the total variation, half the l1 distance.",
)

V_output = Quantity(
    "V_out",
    "true value of the penalised optimum",
    Domain.NONNEGATIVE,
    r"V_T(\hat\pi)",
    program=(
        r"V_T(\hat\pi),\quad\hat\pi\in\arg\max_\pi\ V_{\hat T}(\pi)"
        r"-\tfrac{\gamma r_{\max}}{1-\gamma}\,\hat\rho_\pi u"
    ),
)
pessimistic_optimality = Theorem(
    label="model-based/pessimistic-optimality",
    title="The penalised optimum competes with every policy up to twice its penalty",
    relation=Ge(V_output, V_pays - 2 * gamma * r_max / (1 - gamma) * penalty),
    source=Source(_MOPO, "Theorem 4.4, with explicit constants", Provenance.DERIVED),
    given=(BOUNDED, ERROR_BOUND),
    proof="Pessimism for the output, optimality in the model, optimism error for the comparator.",
    uses=("model-based/pessimism",),
)
