"""Vertices of the least-cost program: few fractional labels, and whole copies of pairs.

Notation as in `least_cost`.

Main results: `monotone`, `no_saving`, `vertex`, `rounding`, `threshold`.
"""

from sympy import Abs

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le
from ..theorem import Assumption, Provenance, Sharp, Source, Theorem
from .least_cost import NEGATIVE, NOTE, PAPER, cost, distance

cost_fewer = Quantity(
    "cost_fewer",
    "least cost with fewer features",
    Domain.NONNEGATIVE,
    r"\|\zeta^\star_\Phi\|",
    program=(
        r"\min_\zeta\|\zeta\|\quad\text{subject to}\quad \Phi\zeta=\Phi d,"
        r"\quad -\rho_i\theta_{O,i}\le\zeta_i\le\rho_i(1-\theta_{O,i})"
    ),
)
cost_more = Quantity(
    "cost_more",
    "least cost with features whose row space holds the other one",
    Domain.NONNEGATIVE,
    r"\|\zeta^\star_{\Phi'}\|",
    program=(
        r"\min_\zeta\|\zeta\|\quad\text{subject to}\quad \Phi'\zeta=\Phi'd,"
        r"\quad -\rho_i\theta_{O,i}\le\zeta_i\le\rho_i(1-\theta_{O,i})"
    ),
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
    sharp=(
        Sharp("1", "Attained by a basic solution with a fractional change for each dimension."),
    ),
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
    sharp=(Sharp("1/4", "Attained: a change half-way between two counts of copies."),),
)
TRUTHFUL = Assumption("truthful", "All benign labels are 1.")
threshold = Theorem(
    label="poisoning/threshold",
    title="An attack that flips exactly the pairs with u.phi_i <= tau cannot be improved",
    relation=Eq(cost, distance),
    source=Source("holdfast", f"for {PAPER}", Provenance.DERIVED),
    given=(NEGATIVE, TRUTHFUL),
    proof="y = u/abs(tau) has the dual value distance: t_i <= -1 exactly where flipped.",
    uses=("poisoning/duality",),
    remark="The cost is the (weighted) number of flips, for any N/n.",
)
