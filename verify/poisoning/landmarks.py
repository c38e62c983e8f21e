"""Edge cases and sharp instances of label-flip problems, each with its derivation.

Unless said otherwise there is one feature, a benign label is 1 and a flipped one 0.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import FlipProblem

from .families.flips import TrainedFeatures, tabular_class

_HALF = Fraction(1, 2)


def single(weight: int = 1) -> FlipProblem:
    """One flipped pair: d = p = -weight, so that every bound equals the cost, the weight."""
    return FlipProblem.of([[1]], 1, 0, [weight])


def undecided() -> FlipProblem:
    """One pair moved to 1/2: one fractional change of a rank of one."""
    return FlipProblem.of([[1]], 1, _HALF)


def nothing() -> FlipProblem:
    """The target is benign: d = 0, cost 0, and the lower bound would be 0/0."""
    return FlipProblem.of([[1, 2]], [1, _HALF], [1, _HALF])


def free() -> FlipProblem:
    """Phi d = 0 with d = (1/2, -1/2): the benign labels teach the same, so the cost is 0."""
    return FlipProblem.of([[1, 1]], _HALF, [1, 0])


def blank() -> FlipProblem:
    """Equal answers in the first pair: its flip teaches nothing and is saved; cost 1 of 2."""
    return FlipProblem.of([[0, 1]], 1, 0)


def duplicate() -> FlipProblem:
    """The same pair twice, one of them flipped: either will do; p = (-1/2, -1/2), cost 1."""
    return FlipProblem.of([[1, 1]], 1, [0, 1])


def opposite() -> FlipProblem:
    """phi_2 = -phi_1 and benign (0, 1): lowering the second equals raising the first; cost 1."""
    return FlipProblem.of([[1, -1]], [0, 1], 0)


def dependent() -> FlipProblem:
    """Two features, the second twice the first: rank 1; pair 2 alone does it, at cost 1 of 2."""
    return FlipProblem.of([[1, 2, 1], [2, 4, 2]], 1, [0, 1, 0])


def fewer() -> FlipProblem:
    """Two pairs, three features: zeta = d, so nothing is saved; cost 2."""
    return FlipProblem.of([[1, 0], [0, 1], [1, 1]], 1, 0)


def weighted() -> FlipProblem:
    """Weights (1, 2, 0): d = (0, -2, 0) and b = -2, which pair 1 cannot bring about alone.

    Its room is 1 and its feature 1, so the cost stays 2; pair 3 counts for nothing.
    """
    return FlipProblem.of([[1, 1, 1]], 1, [1, 0, 0], [1, 2, 0])


def saving() -> FlipProblem:
    """phi = (2, 1, 1), the last two flipped: b = -2, which the first does alone; cost 1 of 2.

    p = (-2/3, -1/3, -1/3), and the lower bound (2/3)/(2/3) = 1 is attained.
    """
    return FlipProblem.of([[2, 1, 1]], 1, [1, 0, 0])


def boxed() -> FlipProblem:
    """phi = (2, 1, 1), all flipped: b = -4, the first brings 2, the others 1 each; cost 3 = d.

    Without the box the first does it at cost 2.  At y = -1 the dual is 4 less the charge 1 of the
    first, t = (-2, -1, -1).  p = (-4/3, -2/3, -2/3) leaves the box by 1/3 and costs 8/3 only.
    """
    return FlipProblem.of([[2, 1, 1]], 1, 0)


def outside(weight: int = 1) -> FlipProblem:
    """phi = (-2, 1), benign 0, target (1/2, 1/8): the upper bound is attained without being d.

    b = -7/8, so (7/16, 0) is best.  p = (7/20, -7/40) leaves the box by 7/40 below in the second
    pair, where d is 1/8 inside, the least: shares 7/12 = (7/40)/(7/40 + 1/8), mixture (7/16, 0).
    All of it grows with the weight, the shares aside.
    """
    weights = [weight, weight]
    return FlipProblem.of([[-2, 1]], 0, [_HALF, Fraction(1, 8)], weights)


def line_only() -> FlipProblem:
    """phi = (-2, 1), benign (0, 1/4), target (3/4, 3/8): the smaller share is the dearer one.

    d = (3/4, 1/8), b = -11/8, p = (11/20, -11/40), out by 1/40; slack 1/4, so the closed form has
    the share 1/11 and the line search (1/40)/(11/40 + 1/8) = 1/16.  Mixtures cost 71/88 and 13/16:
    abs(p)_1 = 33/40 falls until the second entry is 0, at the share 11/16.
    """
    return FlipProblem.of([[-2, 1]], [0, Fraction(1, 4)], [Fraction(3, 4), Fraction(3, 8)])


def spread() -> FlipProblem:
    """Three independent pairs nearly in one direction, each moved to 1/2: k = 3.

    With one copy all round back to 1, so the moments move by the half sum of the columns
    (10, 1, 0), (10, 0, 1), (10, 0, 0), (15, 1/2, 1/2): squared 451/2, against 3^2 (101)/4 = 909/4.
    """
    return FlipProblem.of([[10, 10, 10], [1, 0, 0], [0, 1, 0]], 1, _HALF)


def heavy_half(weight: int = 2) -> FlipProblem:
    """One pair of that weight moved to 1/2: rounding moves the change by half the weight."""
    return FlipProblem.of([[3]], 1, _HALF, [weight])


def quarter() -> FlipProblem:
    """One pair moved to 3/4: two copies round it to 1, which is 1/(2m) away."""
    return FlipProblem.of([[1]], 1, Fraction(3, 4))


def no_saving_above(pairs: int = 5) -> FlipProblem:
    """One feature phi_i = i - 2, flipped where it is at most -1 (u = 1, tau = -1): pairs 0 and 1.

    b = 3, and y = 1 has t = phi, so b.y = 3 less the charge (2 - 1) of pair 0: cost 2, though
    N > n.
    """
    return FlipProblem.of([[i - 2 for i in range(pairs)]], 1, [int(i > 1) for i in range(pairs)])


def tabular_promise() -> TrainedFeatures:
    """Target labels 2/3 and 4/5, a = (1, 2) log 2, from labels 1: d = (-1/3, -1/5).

    a.d = -11/15, which the second pair brings at cost 11/30; the labels taught are then (1, 19/30),
    and the victim's scores are their logits.  The target's cost 8/15 = 16/30.
    """
    return tabular_class([1, 2], [Fraction(1)] * 2)


def with_best(problem: FlipProblem) -> tuple[FlipProblem, Vector]:
    """The problem with its best y."""
    from holdfast.solvers.poisoning import solve_flips

    return problem, solve_flips(problem).dual


PROBLEMS: dict[str, Callable[[], FlipProblem]] = {
    "single": single,
    "heavy": lambda: single(2),
    "undecided": undecided,
    "nothing": nothing,
    "free": free,
    "blank": blank,
    "duplicate": duplicate,
    "opposite": opposite,
    "dependent": dependent,
    "fewer": fewer,
    "weighted": weighted,
    "saving": saving,
    "boxed": boxed,
    "outside": outside,
    "line only": line_only,
}
"""What every statement about one problem is tried on: the edge cases and the sharp ones."""
