"""Families of label-flip problems, small enough for exact arithmetic.

Feature differences are small integers, labels small fractions.  Kinds of features: generic,
rank-deficient, a duplicated pair, an opposite pair, a pair without difference.  Kinds of labels:
flips of sure labels, soft targets for sure labels, soft targets for flipped labels, and labels that
follow the scores of a reward.  Every few problems have weights, one of them perhaps zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers import Vector
from holdfast.solvers.exact import common_denominator
from holdfast.solvers.poisoning import FlipProblem, solve_flips

from ...binding.draws import Draw
from ...binding.family import Family, OutOfScope

Rows = list[list[int]]
FEATURE_KINDS = ("generic", "generic", "dependent", "duplicate", "opposite", "blank")
LABEL_KINDS = ("flips", "soft target", "soft flips", "scores")
MOST_FEATURES, MOST_PAIRS = 7, 16
"""Of drawn problems, each of which is solved exactly several times; larger ones would be fewer."""
LARGEST = 20_000
"""Entries of Phi up to which a user's own problem is solved exactly; the work grows faster than
they do, so that beyond one statement could hold up the run."""


def flips(*, hard: bool | None = None, dependent: bool = True) -> Family:
    """Problems of all kinds.

    hard: True for target labels 0 and 1, False for targets with some other; dependent: False for
    as many pairs as features, whose differences are independent.
    """

    def base(draw: Draw) -> FlipProblem:
        rows = drawn_features(draw) if dependent else _independent(draw)
        return _labelled(draw, rows, hard)

    words = "" if hard is None else ", hard targets" if hard else ", soft targets"
    return Family(f"label-flip problems{words}", base, adopt=adopted)


def adopted(problem: object) -> FlipProblem:
    """A user's own problem, of a size that exact arithmetic can do."""
    if not isinstance(problem, FlipProblem):
        raise OutOfScope(f"speaks of label-flip problems, not of {type(problem).__name__}")
    entries = problem.n_features * problem.n_pairs
    if entries > LARGEST:
        raise OutOfScope(f"{entries} feature entries; solved exactly up to {LARGEST}")
    return problem


def drawn_features(draw: Draw) -> Rows:
    """n rows of N >= n small integers."""
    n = draw.integer(1, MOST_FEATURES)
    pairs = n + draw.integer(0, MOST_PAIRS - n)
    kind = draw.choice(FEATURE_KINDS)
    columns = _degenerate(kind, [[draw.integer(-3, 3) for _ in range(n)] for _ in range(pairs)])
    return [list(row) for row in zip(*columns, strict=True)]


def _degenerate(kind: str, columns: Rows) -> Rows:
    """The columns, made special where the kind says so."""
    n = len(columns[0])
    if kind == "dependent":
        columns = [[*column[:-1], 2 * column[0] if n > 1 else 0] for column in columns]
    elif kind == "duplicate":
        columns[-1] = columns[0]
    elif kind == "opposite":
        columns[-1] = [-value for value in columns[0]]
    elif kind == "blank":
        columns[-1] = [0] * n
    return columns


def _independent(draw: Draw) -> Rows:
    """A triangle with ones on its diagonal, and perhaps a row more."""
    pairs = draw.integer(1, MOST_FEATURES)
    rows = [
        [draw.integer(-3, 3) if i < k else int(i == k) for i in range(pairs)] for k in range(pairs)
    ]
    return rows + [[draw.integer(-3, 3) for _ in range(pairs)] for _ in range(draw.integer(0, 1))]


def _labelled(draw: Draw, rows: Rows, hard: bool | None) -> FlipProblem:
    kinds = LABEL_KINDS if hard is None else LABEL_KINDS[:1] if hard else LABEL_KINDS[1:]
    kind, pairs = draw.choice(kinds), len(rows[0])
    if kind == "scores":
        benign = _eighths(draw, pairs, 0, 8)
        target = _following(draw, rows)
    elif kind == "soft flips":
        benign = [Fraction(1 - draw.integer(0, 1)) for _ in range(pairs)]
        target = [1 - flip for flip in _eighths(draw, pairs, 1, 7)]
    else:
        benign, steps = [Fraction(1)] * pairs, 1 if kind == "flips" else 8
        target = [1 - Fraction(draw.integer(0, steps), steps) for _ in range(pairs)]
    return FlipProblem.of(rows, benign, target, weights(draw, pairs))


def _eighths(draw: Draw, pairs: int, least: int, most: int) -> list[Fraction]:
    return [Fraction(draw.integer(least, most), 8) for _ in range(pairs)]


def weights(draw: Draw, pairs: int) -> list[Fraction] | None:
    """Every fourth problem has weights, few of them zero."""
    if draw.choice((False, False, False, True)):
        options = (Fraction(1), Fraction(2), Fraction(1, 2), Fraction(3), Fraction(0))
        return [draw.choice(options) for _ in range(pairs)]
    return None


def _following(draw: Draw, rows: Rows) -> list[Fraction]:
    """Target labels that follow a reward: 1/2 + s/(2 (1 + abs(s))) at the score s, a rational
    stand-in for the logistic function."""
    reward = [draw.integer(-2, 2) for _ in rows]
    scores = [
        sum(y * value for y, value in zip(reward, column, strict=True))
        for column in zip(*rows, strict=True)
    ]
    return [Fraction(1 + abs(s) + s, 2 * (1 + abs(s))) for s in scores]


# -- what claims quantify over beside the problem
def multiplier(draw: Draw, problem: FlipProblem, *_: object) -> Vector:
    """A y in R^n: the best one, a multiple of it, or any."""
    parts = draw.choice((4, 0, 1, 3, 5, 8))
    best = solve_flips(problem).dual.fractions() if parts else (Fraction(0),) * problem.n_features
    noise = draw.choice((0, 0, 1, 3))
    return Vector.of(
        Fraction(parts, 4) * y + Fraction(draw.integer(-noise, noise), 3) for y in best
    )


def more_features(draw: Draw, problem: FlipProblem, *_: object) -> FlipProblem:
    """The same pairs with one or two features more, the known ones mixed."""
    size = range(problem.n_pairs)
    known = [list(row.fractions()) for row in problem.features]
    if len(known) > 1:
        known[0] = [a + b for a, b in zip(known[0], known[1], strict=True)]
    added = [[Fraction(draw.integer(-3, 3)) for _ in size] for _ in range(draw.integer(1, 2))]
    return problem.with_features([*known, *added])


def share(draw: Draw, *_: object) -> Fraction:
    """A number in [0, 1]."""
    return Fraction(draw.integer(0, 12), 12)


def reward(draw: Draw, problem: FlipProblem, *_: object) -> tuple[Fraction, ...]:
    """Scores of the pairs under a linear reward (N): a combination of the rows of Phi."""
    entries = [draw.integer(-2, 2) for _ in problem.features]
    return problem.scores(entries).fractions()


def copies(draw: Draw, problem: FlipProblem, *_: object) -> int:
    """A number m of copies of each pair, such that the benign labels are multiples of 1/m."""
    return common_denominator(problem.benign.fractions())[1] * draw.integer(1, 3)


def other_copies(draw: Draw, problem: FlipProblem, *_: object) -> int:
    """A number m of copies for which some benign label is no multiple of 1/m."""
    least = common_denominator(problem.benign.fractions())[1]
    if least == 1:
        raise OutOfScope("labels 0 and 1 are on every grid")
    return draw.integer(1, least - 1)


# -- families with a shape of their own
def thresholds(*, negative: bool = True, truthful: bool = True) -> Family:
    """Labels that fall to 0 exactly where u.phi_i <= tau, with some pair flipped where there is one
    so far out; negative: whether tau < 0, else tau > 0; truthful: whether all benign labels are 1,
    else 1/2."""

    def base(draw: Draw) -> FlipProblem:
        rows = drawn_features(draw)
        u = [draw.integer(-2, 2) for _ in rows]
        tau = draw.integer(1, 4) * (-1 if negative else 1)
        scores = (
            sum(a * b for a, b in zip(u, column, strict=True)) for column in zip(*rows, strict=True)
        )
        benign = Fraction(1 if truthful else "1/2")
        target = [benign * (score > tau) for score in scores]
        return FlipProblem.of(rows, benign, target, weights(draw, len(target)))

    return Family(f"thresholds {'below' if negative else 'above'} zero", base, adopt=adopted)


@dataclass(frozen=True, slots=True)
class TrainedFeatures:
    """What the attacker plans and what the victim ends with.

    problem: pairs and labels, with the features that the victim ends with; scores: a (N), those of
    the target's reward in the direction that it needs.
    """

    problem: FlipProblem
    scores: tuple[Fraction, ...]


def collapsed() -> Family:
    """The victim ends with features that are multiples of a, as many as it likes."""

    def base(draw: Draw) -> TrainedFeatures:
        problem = _labelled(draw, drawn_features(draw), None)
        a = reward(draw, problem)
        factors = [draw.integer(1, 3), *(draw.integer(-2, 2) for _ in range(draw.integer(0, 2)))]
        rows = [[factor * value for value in a] for factor in factors]
        return TrainedFeatures(problem.with_features(rows), a)

    return Family("features trained to one direction", base, adopt=no_features)


def tabular() -> Family:
    """The victim has a score for every pair and ends where each is the logit of its label.

    Target labels are 2^k/(1 + 2^k), so that the scores are k log 2; the equation a.zeta = a.d is
    the same for a = k.
    """

    def base(draw: Draw) -> TrainedFeatures:
        pairs = draw.integer(1, 8)
        powers = [draw.choice((1, 2, 3, -1, -2, -3))]  # not all are zero
        powers += [draw.integer(-3, 3) for _ in range(pairs - 1)]
        benign = [1 - Fraction(draw.integer(0, 4), 4) for _ in range(pairs)]
        return tabular_class(powers, benign)

    return Family("tabular classes", base, adopt=no_features)


def tabular_class(powers: list[int], benign: list[Fraction]) -> TrainedFeatures:
    """Target labels 2^k/(1 + 2^k) for the powers k, and one feature a pair."""
    size = range(len(powers))
    target = [Fraction(2) ** k / (1 + Fraction(2) ** k) for k in powers]
    rows = [[int(i == k) for i in size] for k in size]
    return TrainedFeatures(FlipProblem.of(rows, benign, target), tuple(map(Fraction, powers)))


def no_features(given: object) -> TrainedFeatures:
    """Trained features are no user's data."""
    if isinstance(given, TrainedFeatures):
        return given
    raise OutOfScope(f"speaks of features that training changes, not of {type(given).__name__}")
