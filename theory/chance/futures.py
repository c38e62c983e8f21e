"""Chance constraints over infinite futures: a first window, ever, and the first hit.

Notation as in `joint_chance`.

Main results: `first_window`, `first_hit`, `eventual`.
"""

from ..cmdp.foundations import gamma
from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le
from ..theorem import Theorem
from .joint_chance import _OURS, ATTAINABLE, J_T, KEEPS, SAFE_START, T_window, alpha, n_cells

V_policy = Quantity("V", "return of a stationary policy that keeps the level", latex=r"V^\pi(\mu)")
V_window = Quantity(
    "V_W",
    "value with V* at the end of the window",
    latex="V_W",
    program=(
        r"\max_\pi\mathbb E^\pi\Big[\sum_{t<T}\gamma^tr_t"
        r"+\gamma^TV^*(s_T)\Big]\quad\text{subject to}\quad J_T(\pi)\le\alpha"
    ),
)
V_stitched = Quantity(
    "V_stitched", "value of the infinite problem, the window's layers first", latex=r"V_\infty"
)
V_free = Quantity(
    "V_free",
    "optimal return without a constraint",
    latex=r"V^*(\mu)",
    program=r"\max_\pi V^\pi(\mu)",
)
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
V_hit = Quantity(
    "V_tau",
    "optimal value with E[gamma^tau] <= alpha",
    latex=r"V_\tau(\alpha)",
    program=(r"\max_\pi V^\pi(\mu)\quad\text{subject to}\quad \mathbb E^\pi\gamma^\tau\le\alpha"),
)
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
V_lower = Quantity(
    "L_N",
    "value of N free decisions, then least risk",
    latex="L_N",
    program=r"\max_\pi\mathbb E^\pi\Big[\sum_{t<N}\gamma^tr_t+\gamma^NV^q(s_N)\Big]"
    r"\quad\text{subject to the constraint of }U_N,\quad V^q\text{ that of a policy of least risk}",
)
V_upper = Quantity(
    "U_N",
    "the same, but what follows earns as much as V*",
    latex="U_N",
    program=(
        r"\max_\pi\mathbb E^\pi\Big[\sum_{t<N}\gamma^tr_t"
        r"+\gamma^NV^*(s_N)\Big]\quad\text{subject to}"
        r"\quad \Pr\nolimits^\pi(\tau\le N)"
        r"+\mathbb E^\pi[\mathbf 1[\tau>N]\,q(s_N)]\le\alpha,\quad q(s)"
        r"=\min_{\pi'}\Pr\nolimits^{\pi'}(\tau<\infty\mid s)"
    ),
)
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
