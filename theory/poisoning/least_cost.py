r"""What it costs to poison preference labels: the cheapest change that teaches a target's reward.

Notation.  Pairs i = 1, ..., N have feature differences, the columns of Phi, benign labels theta_O
and target labels theta_A in [0, 1], and weights rho_i (1 unless said).  Changes are weighted:
``zeta_i = rho_i (theta_i - theta_O,i)``, ``d_i = rho_i (theta_A,i - theta_O,i)``.  The least cost
is the least ``norm(zeta)`` with ``Phi zeta = Phi d`` and all labels in [0, 1], that is, in the box
``-down_i <= zeta_i <= up_i``, ``up_i = rho_i (1 - theta_O,i)``, ``down_i = rho_i theta_O,i``.
Costs are UN-normalised: in l1 the expected number of flipped labels, not divided by N.  ``p`` is
the orthogonal projection of d on the row space of Phi.

Main results: `duality`, `lower_bound`, `chain`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Sharp, Source, Theorem

PAPER = "Kusaka, Saito, Kudo, Tanabe, Wachi and Akimoto 2025"
NOTE = "as summarised in a note on the paper"

cost = Quantity(
    "cost",
    "least cost in l1, un-normalised",
    Domain.NONNEGATIVE,
    r"\|\zeta^\star\|_1",
    r"\min_\zeta\|\zeta\|_1\quad\text{subject to}\quad\Phi\zeta=\Phi d,\quad "
    r"-\rho_i\theta_{O,i}\le\zeta_i\le\rho_i(1-\theta_{O,i})",
)
distance = Quantity("distance", "cost of the target's own changes", Domain.NONNEGATIVE, r"\|d\|")

gain_best = Quantity(
    "gain_best",
    "y.Phi d at the best y",
    latex=r"y^{\star\top}\Phi d",
    program=r"y^\star\in\arg\max_y\ y^\top\Phi d-c(y)",
)
charge_best = Quantity(
    "charge_best",
    "charge of the box at the best y",
    Domain.NONNEGATIVE,
    r"c(y^\star)",
    program=r"y^\star\in\arg\max_y\ y^\top\Phi d-c(y)",
)
gain = Quantity("gain", "y.Phi d at a y in R^n", latex=r"y^\top\Phi d")
charge = Quantity(
    "charge",
    "charge of the box there: sum of up_i (t_i - 1)_+ + down_i (-t_i - 1)_+ with t = Phi^T y",
    Domain.NONNEGATIVE,
    "c(y)",
)
duality = Theorem(
    label="poisoning/duality",
    title="The least cost is the largest dual value, and every y in R^n bounds it from below",
    relation=Both(Eq(cost, gain_best - charge_best), Le(gain - charge, cost)),
    source=Source("holdfast", f"behind Theorem 1 of {PAPER}", Provenance.DERIVED),
    proof=(
        "Linear programming duality; d is feasible and the cost is at least 0, so both optima "
        "exist, and each box constraint is active in closed form."
    ),
    remark="So any y certifies, also one from a solver that was stopped early.",
)

cost_squared = Quantity(
    "cost_squared",
    "square of the least cost in l2",
    Domain.NONNEGATIVE,
    r"\|\zeta^\star\|_2^2",
    program=(
        r"\min_\zeta\|\zeta\|_2^2\quad\text{subject to}\quad \Phi\zeta"
        r"=\Phi d,\quad -\rho_i\theta_{O,i}\le\zeta_i\le\rho_i(1-\theta_{O,i})"
    ),
)
cost_largest = Quantity(
    "cost_largest",
    "least cost in l-infinity",
    Domain.NONNEGATIVE,
    r"\|\zeta^\star\|_\infty",
    program=(
        r"\min_\zeta\|\zeta\|_\infty\quad\text{subject to}\quad \Phi\zeta"
        r"=\Phi d,\quad -\rho_i\theta_{O,i}\le\zeta_i\le\rho_i(1-\theta_{O,i})"
    ),
)
p_squares = Quantity("p_squares", "sum of p_i^2", Domain.NONNEGATIVE, r"\|p\|_2^2")
p_largest = Quantity("p_largest", "largest abs(p_i)", Domain.NONNEGATIVE, r"\|p\|_\infty")
p_sum = Quantity("p_sum", "sum of abs(p_i)", Domain.NONNEGATIVE, r"\|p\|_1")
lower_bound = Theorem(
    label="poisoning/lower-bound",
    title="The least cost is at least the square of p over its dual norm, in l1, l2, l-infinity",
    relation=Both(
        Ge(cost * p_largest, p_squares),
        Ge(cost_squared, p_squares),
        Ge(cost_largest * p_sum, p_squares),
    ),
    source=Source(PAPER, f"Theorem 2, {NOTE}", Provenance.RECALLED),
    proof="Every feasible zeta has the projection p: sum p_i^2 = p.zeta <= norm_*(p) norm(zeta).",
    remark=(
        "Written without quotients, so that p = 0 is included; l2 in squares. Attained by a single "
        "pair, and not tight in general."
    ),
    sharp=(
        Sharp("1", "Attained by a single pair."),
        Sharp("1", "Attained by a single pair.", 1),
        Sharp("1", "Attained by a single pair.", 2),
    ),
)

lower = Quantity(
    "lower", "sum of p_i^2 over the largest abs(p_i), 0 if p = 0", Domain.NONNEGATIVE, "L"
)
unboxed = Quantity(
    "unboxed",
    "least l1 cost without the box",
    Domain.NONNEGATIVE,
    r"C_\infty",
    program=r"\min_\zeta\|\zeta\|_1\quad\text{subject to}\quad \Phi\zeta=\Phi d",
)
tighter = Quantity("tighter", "upper bound with the line search", Domain.NONNEGATIVE, "U'")
upper = Quantity("upper", "upper bound in closed form", Domain.NONNEGATIVE, "U")
chain = Theorem(
    label="poisoning/chain",
    title="All bounds in their order",
    relation=Both(
        Le(lower, unboxed),
        Le(unboxed, cost),
        Le(cost, tighter),
        Le(tighter, upper),
        Le(upper, distance),
    ),
    source=Source("holdfast", f"Theorems 2 and 3 of {PAPER} in one", Provenance.DERIVED),
    proof="The lower bound does not use the box; the upper bounds are costs of feasible changes.",
    uses=("poisoning/lower-bound", "poisoning/upper-bound", "poisoning/tighter-upper-bound"),
    remark="In l1. All five are equalities for a single pair whose features are not 0.",
)

NEGATIVE = Assumption("negative", "The threshold tau is negative.")
