"""Edge cases and golden instances of finite-horizon chance problems, each with its derivation."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers import CMDP, from_arrays
from holdfast.solvers.chance import ChanceProblem


def g10(hazard: Fraction = Fraction(1, 10)) -> ChanceProblem:
    """G10: one state, gamma = 1/2; a risky action pays 1 and ends in ruin with probability 1/10.

    At level 1/10 it may be taken once for certain, which is worth 1; a stationary policy that takes
    it with any probability q > 0 is ruined almost surely.
    """
    model = from_arrays(
        [[[1 - hazard, hazard], [1, 0]], [[0, 1], [0, 1]]],
        [[1, 0], [0, 0]],
        discount=Fraction(1, 2),
        initial=[1, 0],
    )
    return ChanceProblem(model, (1,), 1)


_ONE = Fraction(1)


def late_hit(steps: int, probability: Fraction, *, stay: bool = False) -> ChanceProblem:
    """Unsafe at time `steps` with this probability, before that never; after it, `stay` or never.

    So J = B = p and H = gamma_c^T p, or gamma_c^T p/(1 - gamma_c) if unsafe is absorbing.
    """
    unsafe, end = steps, steps + 1

    def to(*targets: tuple[int, Fraction]) -> list[list[Fraction]]:
        return [[sum((p for s, p in targets if s == t), Fraction(0)) for t in range(steps + 2)]]

    rows = [to((t + 1, _ONE)) for t in range(steps - 1)]
    rows.append(to((unsafe, probability), (end, 1 - probability)))
    rows += [to((unsafe if stay else end, _ONE)), to((end, _ONE))]
    start = [int(s == 0) for s in range(steps + 2)]
    model = from_arrays(rows, [[0]] * (steps + 2), discount=Fraction(1, 2), initial=start)
    return ChanceProblem(model, (unsafe,), steps)


def late_choice(steps: int) -> CMDP:
    """The states of `late_hit`, where at the last step a risk may be taken that pays 1."""
    problem = late_hit(steps, Fraction(1))
    size, last = problem.model.n_states, steps - 1
    rows = [[int(t == s) for t in range(size)] for s in range(size)]
    moves = [
        [rows[steps + 1], rows[steps]] if s == last else [rows[min(s + 1, steps + 1)]] * 2
        for s in range(size)
    ]
    reward = [[0, int(s == last)] for s in range(size)]
    start = [int(s == 0) for s in range(size)]
    return from_arrays(moves, reward, discount=Fraction(1, 2), initial=start)


def stuck(steps: int, probability: Fraction) -> ChanceProblem:
    """Unsafe from time 1 on for ever with this probability, else never: J = p, B = T p."""
    rows = [[[0, probability, 1 - probability]], [[0, 1, 0]], [[0, 0, 1]]]
    model = from_arrays(rows, [[0]] * 3, discount=Fraction(1, 2), initial=[1, 0, 0])
    return ChanceProblem(model, (1,), steps)


def g8(steps: int = 10, reward: int = 1, *, floor: int = 0) -> ChanceProblem:
    """G8: at the start, once, a risky action pays 1 and is unsafe for ever; else nothing happens.

    Taken with probability q it risks q and has T q unsafe times, so the joint level alpha is worth
    alpha, and as a bound on Boole's sum alpha/T.  Each step pays the floor besides.
    """
    to_unsafe, to_end = [0, 1, 0], [0, 0, 1]
    model = from_arrays(
        [[to_unsafe, to_end], [to_unsafe] * 2, [to_end] * 2],
        [[floor + reward, floor], [floor, floor], [floor, floor]],
        discount=1,
        initial=[1, 0, 0],
    )
    return ChanceProblem(model, (1,), steps)


def g7(hazard: Fraction = Fraction(1, 10)) -> ChanceProblem:
    """G7: a hazard that nobody can avoid, then a choice that does not know of it, T = 3.

    From the start to the unsafe state with probability p, else to a safe one; both lead to the
    choice: a risky action that pays 1 and is unsafe, or nothing.  At level p the risk may be taken
    after the hazard, which is worth p; without memory it may not be taken at all.
    """
    to_unsafe, to_choice, to_end = ([int(t == s) for t in range(5)] for s in (1, 3, 4))
    first = [0, hazard, 1 - hazard, 0, 0]
    model = from_arrays(
        [[first] * 2, [to_choice] * 2, [to_choice] * 2, [to_unsafe, to_end], [to_end] * 2],
        [[0, 0], [0, 0], [0, 0], [1, 0], [0, 0]],
        discount=1,
        initial=[1, 0, 0, 0, 0],
    )
    return ChanceProblem(model, (1,), 3)


def g3() -> ChanceProblem:
    """G3: three states, the last one unsafe, T = 3, undiscounted.

    Values 57/25, 191/50, 2419/400, 403/50 at levels 0, 1/10, 1/4, 2/5; under Boole's sum 731/200,
    1121/200, 3826/525 at the last three.
    """
    weights = [[[4, 4, 2], [6, 4, 0]], [[5, 1, 4], [8, 2, 0]], [[5, 5, 0], [0, 10, 0]]]
    model = from_arrays(
        [[[Fraction(w, 10) for w in row] for row in rows] for rows in weights],
        [[3, 1], [5, 0], [2, 2]],
        discount=1,
        initial=[1, 0, 0],
    )
    return ChanceProblem(model, (2,), 3)
