r"""Chance constraints and what stands in for them: joint chance, Boole's sum, discounted sums.

Notation.  For a policy and a window of T steps, N counts the unsafe states among s_1, ..., s_T:
``J_T = Pr(N >= 1)`` is the joint chance, ``B = E N`` Boole's sum,
``C_z = E sum_{j <= N} z^{j-1}`` the sum in which the j-th visit costs z^{j-1}, and
``H = E sum_{i >= 1} gamma_c^i 1[s_i unsafe]`` the discounted number over all times, UN-normalised.
``V_J(alpha)``, ``V_B(alpha)`` are the optimal values under J_T <= alpha and B <= alpha.  tau is the
first time i >= 1 at which s_i is unsafe.  With a discount gamma, values are UN-normalised and V* is
that of the best policy without a constraint.

Main results: `sandwich`, `expected_cost`, `expected_cost_absorbing`, `absorbing_threshold`,
`interpolation`, `levels`, `safe_expected_cost`, `flag_program`, `absorbing_flag`, `first_window`,
`first_hit`, `eventual`.
"""

from sympy import Min

from .cmdp import gamma
from .quantities import Domain, Quantity
from .relations import Both, Eq, Ge, Le
from .theorem import Assumption, Provenance, Source, Standing, Theorem

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
    remark="At z = 0 and z = 1 the last two give C_0 = J_T and C_1 = B.",
)

V_scaled = Quantity("V_scaled", "optimal value, joint chance alpha/T", latex=r"V_J(\alpha/T)")
V_boole = Quantity("V_B", "optimal value, Boole's sum alpha", latex=r"V_B(\alpha)")
V_between = Quantity("V_z", "optimal value, charge z, level alpha", latex=r"V_z(\alpha)")
V_joint = Quantity("V_J", "optimal value, joint chance alpha", latex=r"V_J(\alpha)")
levels = Theorem(
    label="chance/levels",
    title="The optimal value under Boole's sum is between those of two joint chances",
    relation=Both(Le(V_scaled, V_boole), Le(V_boole, V_between), Le(V_between, V_joint)),
    source=_OURS,
    proof="J_T <= alpha/T implies B <= alpha, which implies C_z <= alpha and J_T <= alpha.",
    uses=("chance/sandwich", "chance/interpolation"),
    remark="Both ends are attained: by an unsafe state never left, and by one met at most once.",
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

V_program = Quantity("V_LP", "value of the flag program", latex=r"V_{\rm LP}")
V_chord = Quantity("V_chord", "value by backward induction and chords", latex=r"V_{\rm chord}")
V_hull = Quantity(
    "V_hull",
    "concave hull of (risk, value) of deterministic history-dependent policies",
    latex=r"\widehat V_{\rm det}",
)
V_flip = Quantity("V_flip", "value of one flip an episode", latex=r"V_{\rm flip}")
risk_flip = Quantity("risk_flip", "its risk", Domain.NONNEGATIVE, r"J_{\rm flip}")
V_cell = Quantity("V_cell", "value of the policy that randomises in a cell", latex=r"V_{\rm cell}")
risk_cell = Quantity("risk_cell", "its risk", Domain.NONNEGATIVE, r"J_{\rm cell}")
n_cells = Quantity(
    "n_cells", "randomised cells (time, memory, state) of a basic solution", Domain.COUNT, "n"
)
flag_program = Theorem(
    label="chance/flag-program",
    title="A state with a flag solves the joint chance constraint, and one flip is enough",
    relation=Both(
        Eq(V_program, V_chord),
        Eq(V_program, V_hull),
        Eq(V_flip, V_program),
        Le(risk_flip, alpha),
        Eq(V_cell, V_program),
        Le(risk_cell, alpha),
        Le(n_cells, 1),
    ),
    source=Source(
        "Schmid, Fochesato, Sutter and Lygeros 2024",
        "binary state augmentation",
        Provenance.DERIVED,
    ),
    given=(FINITE, ATTAINABLE),
    proof=(
        "Which reward and risk are still to come depends on the history through time, state and "
        "flag only, so it is a finite program with one budget: vertices are deterministic, one "
        "randomisation is enough, and it resolves into two deterministic policies."
    ),
    uses=("cmdp/randomisations", "cmdp/splitting", "cmdp/vertices"),
    remark="For the charge z in (0, 1) the flag becomes a count, for z = 1 it is not needed.",
)

V_plain = Quantity(
    "V_plain", "optimal value without flag, first arrivals charged", latex=r"V_{\rm plain}"
)
absorbing_flag = Theorem(
    label="chance/absorbing-flag",
    title="Where unsafe states are never left, no flag is needed",
    relation=Eq(V_plain, V_joint),
    source=_OURS,
    given=(FINITE, ATTAINABLE, ABSORBING, SAFE_START),
    proof="The flag is a function of the state.",
    uses=("chance/flag-program",),
    remark="Otherwise policies without memory may be worth strictly less, by a forced hazard.",
)

V_policy = Quantity("V", "return of a stationary policy that keeps the level", latex=r"V^\pi(\mu)")
V_window = Quantity("V_W", "value with V* at the end of the window", latex="V_W")
V_stitched = Quantity(
    "V_stitched", "value of the infinite problem, the window's layers first", latex=r"V_\infty"
)
V_free = Quantity("V_free", "optimal return without a constraint", latex=r"V^*(\mu)")
first_window = Theorem(
    label="chance/first-window",
    title="A constraint on the first T steps is a finite problem that ends in V*",
    relation=Both(Eq(V_window, V_stitched), Le(V_policy, V_window), Le(V_window, V_free)),
    source=_OURS,
    given=(ATTAINABLE, KEEPS),
    proof="After the window nothing is constrained, so the best policy of all follows.",
    uses=("chance/flag-program",),
)

E_tau = Quantity("E_tau", "E[gamma^tau] of the policy", Domain.PROBABILITY, r"\mathbb E\gamma^\tau")
V_hit = Quantity("V_tau", "optimal value with E[gamma^tau] <= alpha", latex=r"V_\tau(\alpha)")
J_best = Quantity(
    "J_best",
    "Pr(tau <= T) of the optimal policy",
    Domain.PROBABILITY,
    r"\Pr\nolimits^\star(\tau\le T)",
)
first_hit = Theorem(
    label="chance/first-hit",
    title="A bound on the discounted first hit is one expected cost, and bounds every window",
    relation=Both(
        Le(gamma**T_window * J_T, E_tau),
        Le(gamma**T_window * J_best, alpha),
        Le(V_policy, V_hit),
        Le(n_cells, 1),
    ),
    source=_OURS,
    given=(ATTAINABLE, KEEPS, SAFE_START),
    proof="Markov's inequality for gamma^tau; with a flag the first hit is charged in one step.",
    uses=("cmdp/randomisations", "cmdp/stationary-suffices"),
    remark="So Pr(tau <= T) <= gamma^-T alpha for all T at once.",
)

N_steps = Quantity("N", "free decisions", Domain.TRIALS, "N")
V_lower = Quantity("L_N", "value of N free decisions, then least risk", latex="L_N")
V_upper = Quantity("U_N", "the same, but what follows earns as much as V*", latex="U_N")
V_lower_next = Quantity("L_next", "L with one more decision", latex="L_{N+1}")
V_upper_next = Quantity("U_next", "U with one more decision", latex="U_{N+1}")
V_gap = Quantity(
    "gap", "largest V* - value at least risk over the states", Domain.NONNEGATIVE, r"\|V^*-V^q\|"
)
eventual = Theorem(
    label="chance/eventual",
    title="A bound on ever meeting an unsafe state is enclosed by finite problems",
    relation=Both(
        Le(V_policy, V_upper),
        Le(V_upper - V_lower, gamma**N_steps * V_gap),
        Le(V_lower, V_lower_next),
        Le(V_upper_next, V_upper),
    ),
    source=_OURS,
    given=(ATTAINABLE, KEEPS),
    proof=(
        "After N decisions no policy risks less than the least eventual risk or earns more than "
        "V*; both programs charge that risk at the end, and differ in what is earned after N only."
    ),
    uses=("chance/flag-program",),
    remark="The optimum is between L_N and U_N; stationary policies may be far below it.",
)
