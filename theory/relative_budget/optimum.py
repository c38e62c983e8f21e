r"""Which relative budget is best for Gamma lengths, under several meanings of best.

Each criterion is a function of :math:`\xi`, for a shape K and, some of them, a radius
:math:`\kappa`.  Its maximiser is taken over a grid, certified against all other points; between
them nothing is claimed.

Main results: `inside`, `outside`, `kappa_moves`.
"""

from sympy import Abs, Rational

from ..quantities import Domain, Quantity
from ..relations import Both, Ge, Gt, Le
from ..theorem import Assumption, Theorem
from .improvement import OURS
from .requirement import GAMMA

best_budget = Quantity(
    "best_budget", "maximiser of a criterion on the grid", Domain.POSITIVE, r"\xi^\star"
)
LISTED = Assumption("listed", "Criterion, K and kappa are listed as inside.")
inside = Theorem(
    label="optimum/inside",
    title="Some criteria are best between 1.5 and 2, where experiments are reported to be",
    relation=Both(Ge(best_budget, Rational(3, 2)), Le(best_budget, 2)),
    source=OURS,
    given=(GAMMA, LISTED),
    proof="Computed, for K in {1, 2, 3, 5, 10} and kappa in {.01, .1, .25, .5, .9}.",
    remark="So the reported window is compatible with the model, for these criteria.",
)
UNLISTED = Assumption("unlisted", "Criterion, K and kappa are listed as outside.")
outside = Theorem(
    label="optimum/outside",
    title="Others are best elsewhere",
    relation=Gt(Abs(best_budget - Rational(7, 4)), Rational(1, 4)),
    source=OURS,
    given=(GAMMA, UNLISTED),
    proof="Computed.",
    remark="So the window is not implied by the model: it needs the criterion, K and kappa.",
)
with_larger = Quantity(
    "with_larger", "the same for a larger kappa", Domain.POSITIVE, r"\xi^\star_{\kappa'}"
)
LARGER = Assumption(
    "larger", "kappa < kappa', both in {.01, .1, .25, .5, .9}; K is in {1, 2, 3, 5, 10}."
)
kappa_moves = Theorem(
    label="optimum/kappa-moves",
    title="Of the listed kappas, a larger one needs the fewest samples at a smaller budget",
    relation=Gt(best_budget, with_larger),
    source=OURS,
    given=(GAMMA, LARGER),
    proof="Computed.",
    remark="Kappas that nearly agree may share their best point of the grid.",
)
