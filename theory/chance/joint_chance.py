r"""Chance constraints and what stands in for them: joint chance, Boole's sum, discounted sums.

Notation.  For a policy and a window of T steps, N counts the unsafe states among s_1, ..., s_T:
``J_T = Pr(N >= 1)`` is the joint chance, ``B = E N`` Boole's sum,
``C_z = E sum_{j <= N} z^{j-1}`` the sum in which the j-th visit costs z^{j-1}, and
``H = E sum_{i >= 1} gamma_c^i 1[s_i unsafe]`` the discounted number over all times, UN-normalised.
``V_J(alpha)``, ``V_B(alpha)`` are the optimal values under J_T <= alpha and B <= alpha.  tau is the
first time i >= 1 at which s_i is unsafe.  With a discount gamma, values are UN-normalised and V* is
that of the best policy without a constraint.

Main results: `sandwich`, `expected_cost`, `expected_cost_absorbing`, `absorbing_threshold`,
`interpolation`, `safe_expected_cost`.
"""

from sympy import Min

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Source, Standing, Theorem

ABSORBING = Assumption("absorbing", "The unsafe states are never left.")
SAFE_START = Assumption("safe-start", "The start is safe.")
TIGHTENED = Assumption("tightened", "The discounted number of unsafe states is <= gamma_c^T alpha.")
FINITE = Assumption("finite-horizon", "There are T decisions, and only the window's risk counts.")
ATTAINABLE = Assumption("attainable", "Some policy has at most the level's risk.")
KEEPS = Assumption("keeps-level", "The stationary policy has at most the level's risk.")

_OURS = Source("holdfast", "chance constraints and their surrogates", Provenance.DERIVED)

T_window = Quantity("T", "steps of the window", Domain.TRIALS, "T")
gamma_c = Quantity("gamma_c", "discount of the unsafe states", Domain.DISCOUNT, r"\gamma_c")
J_T = Quantity("J_T", "probability of an unsafe state in the window", Domain.PROBABILITY, "J_T")
B_sum = Quantity("B", "Boole's sum, the expected number of unsafe states", Domain.NONNEGATIVE, "B")
H_cost = Quantity("H", "discounted number of unsafe states", Domain.NONNEGATIVE, "H")
sandwich = Theorem(
    label="chance/sandwich",
    title="Boole's sum is between the joint chance and T times that",
    relation=Both(Le(J_T, B_sum), Le(B_sum, T_window * J_T)),
    source=_OURS,
    proof="N is at least 1 and at most T where it is not 0.",
)

expected_cost = Theorem(
    label="chance/expected-cost",
    title="The discounted number of unsafe states is at least gamma_c^T times Boole's sum",
    relation=Ge(H_cost, gamma_c**T_window * B_sum),
    source=_OURS,
    proof="Each of the first T terms has weight at least gamma_c^T.",
    uses=("chance/sandwich",),
    remark="So H <= gamma_c^T alpha is enough for J_T <= alpha, and H <= alpha is not.",
)
expected_cost_absorbing = Theorem(
    label="chance/expected-cost-absorbing",
    title="Where unsafe states are never left, the discounted number counts for ever",
    relation=Ge((1 - gamma_c) * H_cost, gamma_c**T_window * J_T),
    source=_OURS,
    given=(ABSORBING,),
    proof="From the first unsafe time, at most T, every later term counts.",
)

J_worst = Quantity(
    "J_worst", "largest joint chance with H <= alpha", Domain.PROBABILITY, r"\max_{H\le\alpha}J_T"
)
alpha = Quantity("alpha", "level", Domain.NONNEGATIVE, r"\alpha")
gamma_late = Quantity("gamma_c", "discount of the unsafe states", Domain.POSITIVE, r"\gamma_c")
absorbing_threshold = Theorem(
    label="chance/absorbing-threshold",
    title="Never left, unsafe states are worst met at the end of the window",
    relation=Eq(J_worst, Min(1, alpha * (1 - gamma_late) / gamma_late**T_window)),
    source=_OURS,
    given=(ABSORBING,),
    proof="H = p gamma_c^t/(1 - gamma_c) if the state is met at time t with probability p.",
    uses=("chance/expected-cost-absorbing",),
    remark=(
        "The maximum over when and how likely the unsafe state is met.  So H <= alpha is enough in "
        "every model iff gamma_c^T >= 1 - gamma_c: T up to 21, 458, 1057 for .9, .99, .995."
    ),
)

C_low = Quantity("C_low", "sum with charge z_low", Domain.NONNEGATIVE, r"C_{z_1}")
C_high = Quantity("C_high", "sum with charge z_high >= z_low", Domain.NONNEGATIVE, r"C_{z_2}")
z_high = Quantity("z_high", "the larger charge", Domain.PROBABILITY, r"z_2")
interpolation = Theorem(
    label="chance/interpolation",
    title="Charging later visits less leads from the joint chance to Boole's sum",
    relation=Both(
        Le(J_T, C_low),
        Le(C_low, C_high),
        Le(C_high, J_T + z_high * (B_sum - J_T)),
        Ge(C_high, J_T + z_high ** (T_window - 1) * (B_sum - J_T)),
    ),
    source=_OURS,
    proof="For 2 <= j <= T the charge z^{j-1} grows with z and is between z^{T-1} and z.",
    uses=("chance/sandwich",),
    known=sandwich.parts[:1],
    remark="At z = 0 and z = 1 the last two give C_0 = J_T and C_1 = B.",
)

level = Quantity("alpha", "level", Domain.PROBABILITY, r"\alpha")
safe_expected_cost = Theorem(
    label="chance/safe-expected-cost",
    title="With level gamma_c^T alpha, the expected-cost problem keeps the joint risk at alpha",
    relation=Le(J_T, level),
    source=Source(
        "Shen, Jiang, Wachi, Hashimoto and Gros 2024", "Theorem 5, repaired", Provenance.DERIVED
    ),
    given=(TIGHTENED,),
    standing=Standing.REPAIRED,
    proof="gamma_c^T J_T <= gamma_c^T B <= H.",
    uses=("chance/sandwich", "chance/expected-cost"),
    remark="Repair: the level is gamma_c^T alpha in place of alpha.",
)
n_cells = Quantity(
    "n_cells", "randomised cells (time, memory, state) of a basic solution", Domain.COUNT, "n"
)
