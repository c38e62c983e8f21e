r"""What it costs to poison preference labels: the cheapest change that teaches a target's reward.

Notation.  Pairs i = 1, ..., N have feature differences, the columns of Phi, benign labels theta_O
and target labels theta_A in [0, 1], and weights rho_i (1 unless said).  Changes are weighted:
``zeta_i = rho_i (theta_i - theta_O,i)``, ``d_i = rho_i (theta_A,i - theta_O,i)``.  The least cost
is the least ``norm(zeta)`` with ``Phi zeta = Phi d`` and all labels in [0, 1], that is, in the box
``-down_i <= zeta_i <= up_i``, ``up_i = rho_i (1 - theta_O,i)``, ``down_i = rho_i theta_O,i``.
Costs are UN-normalised: in l1 the expected number of flipped labels, not divided by N.  ``p`` is
the orthogonal projection of d on the row space of Phi.

Main results: `duality`, `lower_bound`, `upper_bound`, `tighter_upper_bound`, `hard_labels`,
`chain`, `monotone`, `no_saving`, `vertex`, `rounding`, `threshold`.
"""

from sympy import Abs, Min

from .quantities import Domain, Quantity
from .relations import Both, Eq, Ge, Le
from .theorem import Assumption, Provenance, Source, Theorem

PAPER = "Kusaka, Saito, Kudo, Tanabe, Wachi and Akimoto 2025"
NOTE = "as summarised in a note on the paper"

cost = Quantity("cost", "least cost in l1, un-normalised", Domain.NONNEGATIVE, r"\|\zeta^\star\|_1")
distance = Quantity("distance", "cost of the target's own changes", Domain.NONNEGATIVE, r"\|d\|")

gain_best = Quantity("gain_best", "y.Phi d at the best y", latex=r"y^{\star\top}\Phi d")
charge_best = Quantity(
    "charge_best", "charge of the box at the best y", Domain.NONNEGATIVE, r"c(y^\star)"
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
    "cost_squared", "square of the least cost in l2", Domain.NONNEGATIVE, r"\|\zeta^\star\|_2^2"
)
cost_largest = Quantity(
    "cost_largest", "least cost in l-infinity", Domain.NONNEGATIVE, r"\|\zeta^\star\|_\infty"
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
)

worst = Quantity(
    "worst", "alpha*, by how much p leaves the box at most", Domain.NONNEGATIVE, r"\alpha^\star"
)
slack = Quantity(
    "slack", "alpha-bar, how far inside the box d is at least", Domain.NONNEGATIVE, r"\bar\alpha"
)
mixture = Quantity(
    "mixture",
    "cost in l1 of b d + (1 - b) p at b = alpha*/(alpha* + alpha-bar), or at 0 where alpha* = 0",
    Domain.NONNEGATIVE,
    r"\|b^\star d+(1-b^\star)p\|_1",
)
upper_bound = Theorem(
    label="poisoning/upper-bound",
    title="The least cost is at most that of d and p mixed so that the box holds",
    relation=Le(cost, Min(mixture, distance)),
    source=Source(PAPER, f"Theorem 3, {NOTE}; alpha* and alpha-bar are ours", Provenance.RECALLED),
    proof=(
        "Every mixture has the moments of d. In the box d has the slack alpha-bar, and p leaves it "
        "by alpha* at most; so the mixture stays within from b = alpha*/(alpha* + alpha-bar) on."
    ),
    uses=("poisoning/tighter-upper-bound",),
    trivial=distance,
    remark=(
        "The source seen gives the formula without the two constants. Where the minimum is the "
        "cost of d itself the theorem says nothing, and the verdict is VACUOUS."
    ),
)

share = Quantity("share", "a share b of d in the mixture", Domain.PROBABILITY, "b")
outside = Quantity(
    "outside", "by how much b d + (1 - b) p leaves the box, negative within", latex=r"\alpha(b)"
)
share_line = Quantity(
    "share_line", "least b whose mixture is in the box", Domain.PROBABILITY, r"\beta^\star"
)
excess_line = Quantity(
    "excess_line", "by how much that mixture leaves the box", Domain.NONNEGATIVE, r"\alpha_+"
)
cost_line = Quantity(
    "cost_line", "cost in l1 of that mixture", Domain.NONNEGATIVE, r"\|\zeta_{\beta^\star}\|_1"
)
tighter_upper_bound = Theorem(
    label="poisoning/tighter-upper-bound",
    title="An exact line search between p and d needs no larger share of d than the closed form",
    relation=Both(
        Le(outside, worst - share * (worst + slack)),
        Le(share_line * (worst + slack), worst),
        Eq(excess_line, 0),
        Le(cost, cost_line),
    ),
    source=Source("holdfast", f"tightens Theorem 3 of {PAPER}", Provenance.DERIVED),
    proof="To leave the box is convex in b; the line search takes the least b that does not.",
    remark=(
        "A smaller share need not be cheaper in l1, where the cost can fall on the way from p to "
        "d; so the tighter bound is the least of the mixtures of both shares and of d."
    ),
)

HARD = Assumption("hard", "All target labels are 0 or 1.")
hard_labels = Theorem(
    label="poisoning/hard-labels",
    title="For a target of hard labels the mixture is the target, unless p is in the box",
    relation=Eq(worst * mixture, worst * distance),
    source=Source("holdfast", f"Theorem 3 of {PAPER} with constants of ours", Provenance.DERIVED),
    given=(HARD,),
    proof="A hard label is on the edge of the box, so alpha-bar = 0 and b = 1 unless alpha* = 0.",
    uses=("poisoning/upper-bound",),
    remark=(
        "So the upper bound says nothing of attacks that flip labels, unless p is in the box: with "
        "alpha* and alpha-bar as we define them, for the definitions of the paper were not read."
    ),
)

lower = Quantity(
    "lower", "sum of p_i^2 over the largest abs(p_i), 0 if p = 0", Domain.NONNEGATIVE, "L"
)
unboxed = Quantity("unboxed", "least l1 cost without the box", Domain.NONNEGATIVE, r"C_\infty")
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

cost_fewer = Quantity(
    "cost_fewer", "least cost with fewer features", Domain.NONNEGATIVE, r"\|\zeta^\star_\Phi\|"
)
cost_more = Quantity(
    "cost_more",
    "least cost with features whose row space holds the other one",
    Domain.NONNEGATIVE,
    r"\|\zeta^\star_{\Phi'}\|",
)
monotone = Theorem(
    label="poisoning/monotone",
    title="More features cost more, up to what the target costs",
    relation=Both(Le(cost_fewer, cost_more), Le(cost_more, distance)),
    source=Source(PAPER, f"Proposition 4, {NOTE}, made precise", Provenance.RECALLED),
    proof="What is feasible with more features is feasible with fewer; d is feasible with all.",
    remark="In any norm; checked in l1, in l2 by squares, and in l-infinity.",
)

INDEPENDENT = Assumption("independent", "The N columns of Phi are linearly independent.")
no_saving = Theorem(
    label="poisoning/no-saving",
    title="With N independent feature differences nothing is saved",
    relation=Eq(cost, distance),
    source=Source("holdfast", f"the end of Proposition 4 of {PAPER}", Provenance.DERIVED),
    given=(INDEPENDENT,),
    proof="Phi zeta = Phi d has the one solution d.",
    uses=("poisoning/monotone",),
    remark="So N <= n. Fewer pairs than features save nothing unless they are dependent.",
)

n_fractional = Quantity(
    "n_fractional", "changes strictly between -down, 0 and up", Domain.COUNT, "k"
)
rank = Quantity("rank", "rank of Phi", Domain.COUNT, r"\mathrm{rank}\,\Phi")
vertex = Theorem(
    label="poisoning/vertex",
    title="A basic optimal solution has at most as many fractional changes as Phi has rank",
    relation=Le(n_fractional, rank),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    proof="Variables that are not basic are at a bound, and a basis has as many as the rank.",
    remark="For basic solutions alone: a solution in the middle of an optimal face has more.",
)

m_copies = Quantity("m", "copies of each pair", Domain.TRIALS, "m")
residual = Quantity(
    "residual",
    "sum of squares of Phi times the weighted change by rounding",
    Domain.NONNEGATIVE,
    r"\|\Phi D(\tilde\theta-\theta^\star)\|_2^2",
)
longest = Quantity(
    "longest",
    "largest sum of squares of rho_i times a column of Phi",
    Domain.NONNEGATIVE,
    r"\ell_{\max}^2",
)
heaviest = Quantity("heaviest", "largest weight", Domain.NONNEGATIVE, r"\rho_{\max}")
cost_rounded = Quantity(
    "cost_rounded", "cost in l1 of the rounded labels", Domain.NONNEGATIVE, r"\|\tilde\zeta\|_1"
)
GRID = Assumption("grid", "The benign labels are multiples of 1/m.")
rounding = Theorem(
    label="poisoning/rounding",
    title="Rounding to m copies of each pair moves moments and cost by O(k/m) only",
    relation=Both(
        Le(4 * m_copies**2 * residual, n_fractional**2 * longest),
        Le(2 * m_copies * Abs(cost_rounded - cost), n_fractional * heaviest),
    ),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    given=(GRID,),
    proof="All but k labels of a basic solution are on the grid; each moves by 1/(2m) at most.",
    uses=("poisoning/vertex",),
    remark=(
        "In labels, so that a weight rho_i moves a change by rho_i/(2m); a tie goes to the side of "
        "the benign label. Attained."
    ),
)

NEGATIVE = Assumption("negative", "The threshold tau is negative.")
threshold = Theorem(
    label="poisoning/threshold",
    title="An attack that flips exactly the pairs with u.phi_i <= tau cannot be improved",
    relation=Eq(cost, distance),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    given=(NEGATIVE,),
    proof="y = u/abs(tau) has the dual value distance: t_i <= -1 exactly where flipped.",
    uses=("poisoning/duality",),
    remark="All benign labels are 1, so the cost is the (weighted) number of flips, for any N/n.",
)
