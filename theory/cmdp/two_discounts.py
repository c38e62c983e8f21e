"""Reward and cost that are discounted apart: switching, stationary policies, two discounts.

Notation as in `policy_classes`.

Main results: `two_discounts`, `switching`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le
from ..theorem import Provenance, Source, Theorem
from .foundations import FEASIBLE, ONE_COST, P_star, gamma
from .policy_classes import _SHWARTZ, MEETS

J_stationary = Quantity("J", "return of a stationary policy", latex=r"J_r(\pi)")
lower = Quantity(
    "L_N",
    "best return of N free decisions, then the cheapest policy",
    latex="L_N",
    program=(
        r"\max_\pi J_r(\pi)\quad\text{subject to}\quad J_c(\pi)\le d,\quad\pi_t"
        r"=\pi^c\text{ for }t\ge N,\quad \pi^c\text{ the cheapest policy}"
    ),
)
upper = Quantity(
    "U_N",
    "the same, but what follows earns as much as V*",
    latex="U_N",
    program=(
        r"\max_\pi\mathbb E^\pi\Big[\sum_{t<N}\gamma^tr_t"
        r"+\gamma^NV^*(s_N)\Big]\quad\text{subject to}"
        r"\quad \mathbb E^\pi\Big[\sum_{t<N}\gamma_c^tc_t\Big]"
        r"+\gamma_c^N\,\mathbb E^\pi\min_{\pi'}J_c(\pi'\mid s_N)\le d"
    ),
)
N_steps = Quantity("N", "free decisions", Domain.TRIALS, "N")
V_gap = Quantity("gap", "largest V* - V^c over the states", Domain.NONNEGATIVE, r"\|V^*-V^c\|")
two_discounts = Theorem(
    label="policy-classes/two-discounts",
    title="Two discounts: N free decisions and then the cheapest policy are within gamma^N",
    relation=Both(
        Le(J_stationary, P_star),
        Le(lower, P_star),
        Le(P_star, upper),
        Le(upper - lower, gamma**N_steps * V_gap),
    ),
    source=Source("holdfast", f"encloses the optimum of {_SHWARTZ}", Provenance.DERIVED),
    given=(ONE_COST, FEASIBLE, MEETS),
    proof=(
        "After N decisions no policy pays less than the cheapest or earns more than V*; with the "
        "cheapest policy's cost in both programs, they differ in what is earned after N only."
    ),
    remark="Each program is finite and exact; the stationary policy may be any that is feasible.",
)

v_switch = Quantity(
    "v_N",
    "optimum of N free decisions, then the tail",
    latex="v_N",
    program=(
        r"\max_\pi J_r(\pi)\quad\text{subject to}\quad J_c(\pi)\le d,"
        r"\quad\pi_t\text{ one stationary tail for all }t\ge N"
    ),
)
n_random = Quantity("n_random", "randomised pairs of time and state", Domain.COUNT, "n")
switching = Theorem(
    label="policy-classes/switching",
    title="Two discounts: one randomisation, finitely many steps, then stationary for ever",
    relation=Both(Eq(v_switch, P_star), Le(n_random, 1)),
    source=Source(_SHWARTZ, "(m, N)-policies, one constraint", Provenance.RECALLED),
    given=(ONE_COST, FEASIBLE),
    proof=(
        "For a multiplier lambda the sum gamma^t r - lambda gamma_c^t c is decided in the long run "
        "by the slower discount alone, so one stationary tail is optimal from some N on; before N "
        "it is a finite program with one budget."
    ),
    uses=("cmdp/randomisations", "cmdp/strong-duality"),
    remark="The tail: cheapest first if the cost outlasts the reward, else best first.",
)
