"""The flag program: a joint chance constraint as one linear program, exactly.

Notation as in `joint_chance`.

Main results: `levels`, `flag_program`, `absorbing_flag`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le
from ..theorem import Provenance, Source, Theorem
from .joint_chance import _OURS, ABSORBING, ATTAINABLE, FINITE, SAFE_START, alpha, n_cells

V_scaled = Quantity(
    "V_scaled",
    "optimal value, joint chance alpha/T",
    latex=r"V_J(\alpha/T)",
    program=r"\max_\pi V^\pi(\mu)\quad\text{subject to}\quad J_T(\pi)\le\alpha/T",
)
V_boole = Quantity(
    "V_B",
    "optimal value, Boole's sum alpha",
    latex=r"V_B(\alpha)",
    program=(
        r"\max_\pi V^\pi(\mu)\quad\text{subject to}\quad \mathbb E^\pi N"
        r"\le\alpha,\quad N=\sum_{t=1}^T\mathbf 1[s_t\text{ unsafe}]"
    ),
)
V_between = Quantity(
    "V_z",
    "optimal value, charge z, level alpha",
    latex=r"V_z(\alpha)",
    program=(
        r"\max_\pi V^\pi(\mu)\quad\text{subject to}\quad \mathbb E^\pi\sum_{j"
        r"=1}^Nz^{j-1}\le\alpha,\quad N=\sum_{t=1}^T\mathbf 1[s_t\text{ unsafe}]"
    ),
)
V_joint = Quantity(
    "V_J",
    "optimal value, joint chance alpha",
    latex=r"V_J(\alpha)",
    program=r"\max_\pi V^\pi(\mu)\quad\text{subject to}\quad J_T(\pi)\le\alpha,\quad "
    r"\pi\text{ depends on the history}",
)
levels = Theorem(
    label="chance/levels",
    title="The optimal value under Boole's sum is between those of two joint chances",
    relation=Both(Le(V_scaled, V_boole), Le(V_boole, V_between), Le(V_between, V_joint)),
    source=_OURS,
    proof="J_T <= alpha/T implies B <= alpha, which implies C_z <= alpha and J_T <= alpha.",
    uses=("chance/sandwich", "chance/interpolation"),
    remark="Both ends are attained: by an unsafe state never left, and by one met at most once.",
)

V_program = Quantity(
    "V_LP",
    "value of the flag program",
    latex=r"V_{\rm LP}",
    program=r"\max_{\rho\ge 0}\ \rho^\top r\quad\text{subject to the flow of }(s_t,t,f_t),\quad "
    r"\Pr\nolimits_\rho(f_T=1)\le\alpha,\quad "
    r"f_t=\mathbf 1[\text{some }s_1,\dots,s_t\text{ unsafe}]",
)
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
    "V_plain",
    "optimal value without flag, first arrivals charged",
    latex=r"V_{\rm plain}",
    program=(
        r"\max_\pi V^\pi(\mu)\quad\text{subject to}\quad \mathbb E^\pi\sum_{t"
        r"=1}^T\mathbf 1[s_{t-1}\text{ safe},\,s_t\text{ unsafe}]\le\alpha,"
        r"\quad\pi\text{ depends on }t\text{ and }s_t"
    ),
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
