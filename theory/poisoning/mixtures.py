"""Bounds on the least cost that need no optimisation: mixtures of the labels with hard ones.

Notation as in `least_cost`.

Main results: `upper_bound`, `tighter_upper_bound`, `hard_labels`.
"""

from sympy import Min

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le
from ..theorem import Assumption, Provenance, Source, Theorem
from .least_cost import NOTE, PAPER, cost, distance

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
    "share_line",
    "least b whose mixture is in the box",
    Domain.PROBABILITY,
    r"\beta^\star",
    program=r"\min\{b\in[0,1]:\alpha(b)\le 0\}",
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
