r"""Flipping policies: is it enough to flip between two actions in each state?

Notation.  The windows of length T: from every safe state s, with a stationary policy pi,
``Pr(s_1, ..., s_T all safe | s_0 = s) >= 1 - alpha``.  ``V*(s)`` is the best value (UN-normalised)
over the policies that meet all of them, ``Q*(s, a)`` that of taking a once, ``P*(s, a)`` the
probability that the window is safe then.  The printed programs maximise ``sum mu Q*`` over laws mu
on the actions of one state, or over pairs of actions, subject to ``sum mu P* >= 1 - alpha``.

At T = 1 the window from s depends on pi(.|s) alone, and the programs are right.  At T >= 2 a policy
in s also acts in the windows that begin before s, which the programs forget.

Main results: `bellman`, `two_atoms`, `relabelling`, `two_actions`, `flipping_program`,
`window_risks`, `zero_level`, `one_step`, `window_actions`, `additive_windows`, `additive_reached`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem

PAPER = "Shen, Jiang, Wachi, Hashimoto and Gros 2024"
FIDELITY = (
    "The full text of the paper at NeurIPS 2024 (arXiv 2410.06474) with its appendix, compared on "
    "2026-11-29; the statement and its definitions were legible."
)
REACHABLE_LEVEL = Assumption("reachable-level", "Some stationary policy meets every window.")
ONE_STEP = Assumption("one-step", "Windows have one step, T = 1.")
ZERO_LEVEL = Assumption("zero-level", "The level alpha is 0.")
SEPARATE = Assumption(
    "separate", "A window meets at most one state with a choice, and that state at most once."
)

T_window = Quantity("T", "steps of a window", Domain.TRIALS, "T")
risk = Quantity(
    "risk", "largest risk of a window from a safe state", Domain.PROBABILITY, r"\max_s q_T(s)"
)
alpha = Quantity("alpha", "level of the windows", Domain.PROBABILITY, r"\alpha")
SETTING = (
    Printed(
        "States and actions are subsets of Euclidean space, continuous or discrete.",
        "Five states, at most three actions in each.",
    ),
    Printed(
        "Assumption 1: the set of actions is compact, the reward continuous, and the next state a "
        "continuous function of state, action and a noise that has a density.",
        "Finite sets; the noise lies in a union of disjoint intervals, uniform on each, on which "
        "the next state is constant, so the function is continuous.",
    ),
    Printed(
        "Assumption 2: g is continuous, and almost surely no largest g of a window is 0.",
        "g is 1 in the unsafe state and -1 elsewhere, never 0.",
    ),
    Printed(
        "The window is T steps long, and alpha is in [0, 1).",
        "T = 2 and alpha = 1/5; no restriction to T = 1 is printed.",
        Ge(T_window, 2),
    ),
)
WINDOWS = Printed(
    "A policy is allowed if it is stationary and Pr(s_1, ..., s_T safe | s_0 = s) >= 1 - alpha for "
    "every safe s.",
    "The largest risk of a window of the best policy, over all safe states, is alpha exactly.",
    Le(risk, alpha),
)
VALUE = Printed(
    "The value of a policy is its expected sum of gamma^k r, maximised over the allowed policies.",
    "gamma = 9/10; the optimum and what it is compared with are optima of linear programs, each "
    "with its certificate.",
)
STRIKES = (
    "It strikes the regime of the paper: windows of two and more steps and a level between 0 and "
    "1. The gap is strict, so it survives small changes of the model."
)
CENTRAL = STRIKES + " At T = 1 the statement is true (flipping/one-step)."

V_star = Quantity(
    "V_star",
    "best value over all stationary policies",
    latex=r"V^\star_\alpha",
    program=r"\max_\pi V^\pi(s)\quad\text{subject to}\quad "
    r"\Pr\nolimits^\pi(s_1,\dots,s_T\text{ safe}\mid s_0=s')\ge 1-\alpha\text{ for all safe }s'",
)
PROGRAM = Printed(
    "P*(s, a) and Q*(s, a) are the safety of the window and the value of taking a once in s and "
    "following an optimal policy; the program maximises the mean of Q* with the mean of P* at "
    "least 1 - alpha.",
    "Both are computed from the optimal policy, which is unique, and the program is solved in s.",
)
V_laws = Quantity(
    "V_laws",
    "value of the printed program over laws on the actions",
    latex="V_M",
    program=r"\max_{\mu\in\Delta(A)}\sum_a\mu(a)Q^\star(s,a)\quad\text{subject to}\quad "
    r"\sum_a\mu(a)P^\star(s,a)\ge 1-\alpha",
)
bellman = Theorem(
    label="flipping/bellman",
    title="The best value in a state is that of the program over laws on its actions",
    relation=Eq(V_star, V_laws),
    source=Source(PAPER, "Theorem 1", Provenance.READ),
    given=(REACHABLE_LEVEL,),
    standing=Standing.REFUTED,
    proof="As printed: change pi in s alone. But that also changes windows that begin before s.",
    remark="False for T >= 2; the program only knows the window from s itself. Repaired by "
    "flipping/one-step: true for T = 1.",
    refutation=Refutation(FIDELITY, CENTRAL, (*SETTING, WINDOWS, VALUE, PROGRAM)),
)

n_atoms = Quantity("n_atoms", "atoms of the smaller mixture", Domain.COUNT, r"|\mu'|")
v_mixture = Quantity("v", "value of the mixture", latex=r"\textstyle\sum\mu Q^\star")
v_atoms = Quantity("v_new", "value of the smaller mixture", latex=r"\textstyle\sum\mu'Q^\star")
p_mixture = Quantity(
    "safety", "safety of the mixture", Domain.PROBABILITY, r"\textstyle\sum\mu P^\star"
)
p_atoms = Quantity(
    "safety_new", "safety of the smaller mixture", Domain.PROBABILITY, r"\textstyle\sum\mu'P^\star"
)
two_atoms = Theorem(
    label="flipping/two-atoms",
    title="A mixture of actions is matched by one of two: the program has a finite optimum",
    relation=Both(Le(n_atoms, 2), Ge(v_atoms, v_mixture), Ge(p_atoms, p_mixture)),
    source=Source(PAPER, "Proposition 1", Provenance.READ),
    proof=(
        "The points (Q*, P*) of mixtures fill a planar convex set; its upper right boundary is "
        "made of segments between extreme points (Caratheodory)."
    ),
    remark="The source says finite; the number two is what its Theorem 2 uses.",
)

B_actions = Quantity(
    "B",
    "value of the program over L actions",
    latex=r"\tilde B(L)",
    program=r"\max_{w\in\Delta_L,\,a_i\in A}\sum_{i\le L}w_iQ^\star(s,a_i)"
    r"\quad\text{subject to}\quad\sum_{i\le L}w_iP^\star(s,a_i)\ge 1-\alpha",
)
B_levels = Quantity(
    "W",
    "value of the program over L risk levels",
    latex=r"\tilde V(L)",
    program=r"\max_{w\in\Delta_L,\,\alpha_i\in[0,1]}\sum_{i\le L}w_i"
    r"\max_{a:P^\star(s,a)\ge 1-\alpha_i}Q^\star(s,a)"
    r"\quad\text{subject to}\quad\sum_{i\le L}w_i\alpha_i\le\alpha",
)
relabelling = Theorem(
    label="flipping/relabelling",
    title="To mix actions is to mix risk levels, each spent as well as possible",
    relation=Eq(B_actions, B_levels),
    source=Source(PAPER, "Proposition 2", Provenance.READ),
    proof="Give each action its own risk 1 - P* as level; an action that is not best for its "
    "level may be replaced by one that is.",
)

V_flip = Quantity(
    "V_flip",
    "best value with at most two actions in each state",
    latex=r"V^{(2)}_\alpha",
    program=r"\max_\pi V^\pi(s)\quad\text{subject to the windows and}\quad "
    r"|\{a:\pi(a\mid s')>0\}|\le 2\text{ for all }s'",
)
two_actions = Theorem(
    label="flipping/two-actions",
    title="To flip between two actions in each state is as good as anything",
    relation=Le(V_star, V_flip),
    source=Source(PAPER, "Theorem 2, that some flipping policy is optimal", Provenance.READ),
    given=(REACHABLE_LEVEL,),
    standing=Standing.REFUTED,
    proof="As printed: the program over laws has an optimum with two atoms (Proposition 1).",
    uses=("flipping/bellman", "flipping/two-atoms"),
    remark="False for T >= 2: 10/9 with three actions against 1 with two. Repaired by "
    "flipping/one-step, true for T = 1, and by flipping/window-actions.",
    refutation=Refutation(
        FIDELITY,
        CENTRAL,
        (
            *SETTING,
            WINDOWS,
            VALUE,
            Printed(
                "A flipping policy takes one of at most two actions in each state, at random.",
                "Every policy with at most two actions a state is examined: one linear program for "
                "each choice of pairs.",
            ),
        ),
    ),
)

V_pairs = Quantity(
    "V_pairs",
    "value of the printed program over pairs of actions",
    latex="V_F",
    program=r"\max_{a,b\in A,\,w\in[0,1]}wQ^\star(s,a)+(1-w)Q^\star(s,b)"
    r"\quad\text{subject to}\quad wP^\star(s,a)+(1-w)P^\star(s,b)\ge 1-\alpha",
)
flipping_program = Theorem(
    label="flipping/flipping-program",
    title="The best value in a state is that of the program over pairs of its actions",
    relation=Eq(V_star, V_pairs),
    source=Source(PAPER, "Theorem 2, that the program has the optimal value", Provenance.READ),
    given=(REACHABLE_LEVEL,),
    standing=Standing.REFUTED,
    proof="As printed: as for the program over laws.",
    uses=("flipping/bellman", "flipping/two-atoms"),
    remark="False for T >= 2, where the program promises more than any policy has. Repaired by "
    "flipping/one-step.",
    refutation=Refutation(
        FIDELITY,
        CENTRAL,
        (
            *SETTING,
            WINDOWS,
            VALUE,
            PROGRAM,
            Printed(
                "Here the law is a mixture of two actions.",
                "All pairs of actions are compared.",
            ),
        ),
    ),
)

leak = Quantity(
    "leak", "largest risk of one step from a safe state", Domain.PROBABILITY, r"\max_s q_1(s)"
)
window_risks = Theorem(
    label="flipping/window-risks",
    title="A window risks at least as much as one step, at most as much as T steps",
    relation=Both(Le(leak, risk), Le(risk, T_window * leak)),
    source=Source("holdfast", "behind Theorem 3 of the flipping paper", Provenance.DERIVED),
    proof="A window begins with one step; and it fails at one of T steps from a safe state.",
    remark="So at alpha = 0 the window's length does not matter.",
)

V_deterministic = Quantity(
    "V_det",
    "best value of a deterministic policy that meets every window",
    latex=r"V^{(1)}_\alpha",
    program=r"\max_\pi V^\pi(s)\quad\text{subject to the windows and}\quad "
    r"|\{a:\pi(a\mid s')>0\}|=1\text{ for all }s'",
)
zero_level = Theorem(
    label="flipping/zero-level",
    title="At alpha = 0 a deterministic policy is optimal",
    relation=Eq(V_star, V_deterministic),
    source=Source(PAPER, "Proposition 3 and Theorem 3", Provenance.READ),
    given=(ZERO_LEVEL, REACHABLE_LEVEL),
    proof=(
        "A policy meets every window if and only if it only takes actions without any risk of an "
        "unsafe state in the next step: an unconstrained problem on these actions."
    ),
    uses=("flipping/window-risks",),
    remark="Infeasible if some safe state has no such action.",
)

one_step = Theorem(
    label="flipping/one-step",
    title="At T = 1 the printed programs are right in every state, and two actions are enough",
    relation=Both(Eq(V_star, V_laws), Eq(V_star, V_flip)),
    source=Source(f"holdfast, for {PAPER}", "repairs Theorems 1 and 2", Provenance.DERIVED),
    given=(ONE_STEP, REACHABLE_LEVEL),
    standing=Standing.REPAIRED,
    proof=(
        "The window from s depends on pi(.|s) alone, so the policies allowed are a product over "
        "states; Bellman's operator over them is a contraction, and each inner linear program has "
        "two rows."
    ),
    uses=("flipping/two-atoms",),
    remark="Repair: T = 1 only.",
)

n_actions = Quantity("n_actions", "most actions of an optimal policy in one state", Domain.COUNT)
window_actions = Theorem(
    label="flipping/window-actions",
    title="T + 1 actions in each state are enough",
    relation=Le(n_actions, T_window + 1),
    source=Source(f"holdfast, for {PAPER}", "repairs Theorem 2", Provenance.DERIVED),
    given=(SEPARATE, REACHABLE_LEVEL),
    standing=Standing.REPAIRED,
    proof=(
        "All windows see pi(.|s) through the T mean risks of 1, ..., T steps from s; with the sum "
        "of the probabilities these are T + 1 rows, and the value is linear-fractional."
    ),
    remark="Repair: T + 1 for two. Attained at T = 1 by two actions, at T = 2 by three.",
)

ADDITIVE = Printed(
    "The chance constraint is replaced by a bound alpha on the sum of the probabilities that the "
    "T next states are unsafe, affine in the policy's distributions.",
    "The unsafe state is left at once for the end, so it is met at most once, and the sums are the "
    "probabilities of the windows.",
)
additive_windows = Theorem(
    label="flipping/additive-windows",
    title="With windows that bound the expected number of unsafe states, two actions are enough",
    relation=Le(V_star, V_flip),
    source=Source(PAPER, "Theorem 10, read as: from every safe state", Provenance.READ),
    given=(REACHABLE_LEVEL,),
    standing=Standing.REFUTED,
    proof="As printed: as for the joint windows.",
    uses=("flipping/two-actions",),
    remark="False for T >= 2 by the same model, its unsafe state left at once for the end.",
    refutation=Refutation(
        FIDELITY + " It does not say whether the constraint holds in every safe state, as here, or "
        "given that s_k is safe (flipping/additive-reached).",
        CENTRAL,
        (
            *SETTING,
            ADDITIVE,
            Printed(
                "The constraint is printed for all k, given that s_k is safe; read here as from "
                "every safe state, whatever led to it.",
                "The largest sum of a window, over all safe states, is alpha exactly.",
                Le(risk, alpha),
            ),
            VALUE,
        ),
    ),
)

risk_reached = Quantity(
    "risk_reached",
    "largest expected number of unsafe states in a window, given that s_k is safe",
    Domain.NONNEGATIVE,
    r"\max_k q_T(s_k\mid s_k\text{ safe})",
)
additive_reached = Theorem(
    label="flipping/additive-reached",
    title="With windows that begin at each time k, given that s_k is safe, two actions are enough",
    relation=Le(V_star, V_flip),
    source=Source(PAPER, "Theorem 10, read as: given that s_k is safe", Provenance.READ),
    given=(REACHABLE_LEVEL,),
    standing=Standing.REFUTED,
    proof="As printed: as for the joint windows.",
    uses=("flipping/additive-windows",),
    remark=(
        "False by the same model started one step earlier, in y: s_0 = y and, if safe, s_1 = x, so "
        "the first two windows are those of y and x; no later one restricts a policy. Started in "
        "x itself two actions are enough under this reading."
    ),
    refutation=Refutation(
        FIDELITY + " It does not say whether the constraint holds in every safe state "
        "(flipping/additive-windows) or given that s_k is safe, as here.",
        STRIKES
        + " T = 1 is no exception under this reading: from x with a1 -> z paying 0, a2 -> U "
        "or z paying 3 and a3 -> w paying 1, w -> U or z, halves each, and alpha = 1/5, windows "
        "at k = 0 and 1 allow (7/25, 2/5, 8/25), worth 38/25, and two actions 6/5 at most.",
        (
            *SETTING,
            ADDITIVE,
            Printed(
                "The constraint is printed for all k, given that s_k is safe.",
                "From y the windows at k = 0, 1, 2 have the risks 1/5, 1/5 and 4/45 under the best "
                "policy, and 0 later.",
                Le(risk_reached, alpha),
            ),
            VALUE,
        ),
    ),
)
