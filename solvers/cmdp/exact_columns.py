"""A constrained MDP by exact policy iteration: the method behind the linear program.

Deterministic policies are the columns of a master program that mixes them (m + 1 rows); the policy
that is best at the multipliers of the best mixture joins them, until none is better:

    max  sum_j w_j J_r(j)    s.t.  sum_j w_j J_c(j) <= d,      sum_j w_j = 1,  w >= 0,
    max  t                   s.t.  sum_j w_j J_c(j) + t <= d,  sum_j w_j = 1,  w >= 0.

The second finds the greatest uniform slack, hence whether the budgets can be met.  Every number is
a fraction, so that neither units nor discounts matter; it takes longer than to prove a basis that
HiGHS proposes, but each round has an upper bound on the optimum, and a lower one.  It ends, for a
policy that joins is better at these multipliers than all that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from operator import mul

from ..exact import Vector
from ..limits import Allowance
from ..models.cmdp import CMDP
from ..programs.program import LinearProgram, LinearSolution, row_scale
from ..programs.simplex import repair
from .improvement import OptimalValues, policy_iteration
from .policies import Policy, lagrangian, negated, occupancy_of, scalarised_cost, value_of

_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Column:
    """A deterministic policy: its occupancy (K), reward and costs (m), UN-normalised."""

    choices: tuple[int, ...]
    occupancy: Vector
    reward: Fraction
    costs: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Mixture:
    """An optimal mixture and its proof.

    Attributes:
        value: the reward, or the uniform slack; occupancy: rho (K) of the mixture.
        multipliers: lambda (m); values: V (S), the optimal values of r - lambda c (of - lambda c
            where slack was sought).
    """

    value: Fraction
    occupancy: Vector
    multipliers: tuple[Fraction, ...]
    values: Vector


@dataclass(slots=True)
class ColumnSearch:
    """The policies so far, and what is known of the optimum (None: not yet known).

    Attributes:
        lower: the reward of the best mixture that meets the budgets; upper: a bound on all others;
        rounds: policies that were sought.
    """

    model: CMDP
    allowance: Allowance
    columns: list[Column] = field(default_factory=list)
    rounds: int = 0
    lower: Fraction | None = None
    upper: Fraction | None = None

    def greatest_slack(self, *, enough: bool = False) -> Mixture | None:
        """The mixture of greatest uniform slack; None, if ``enough``, once it is not negative.

        Raises LimitReachedError.
        """
        return self._searched(slack=True, enough=enough)

    def greatest_reward(self) -> Mixture:
        """The optimum, once some mixture of the columns meets the budgets.

        Raises LimitReachedError.
        """
        best = self._searched(slack=False)
        assert best is not None
        return best

    def _searched(self, *, slack: bool, enough: bool = False) -> Mixture | None:
        basis: list[int] | None = None
        while True:
            program, scales = self._program(slack=slack)
            answer, basis = self._mixed(program, basis)
            assert answer.value is not None
            if enough and answer.value >= 0:
                return None
            if not slack:
                self.lower = answer.value
            best = self._extended(answer, scales, slack=slack)
            if best is not None:
                return best

    def method(self, proposal: str) -> str:
        """What is said of an answer from here; ``proposal`` is what HiGHS had said."""
        return f"exact policy iteration, {self.rounds} rounds after HiGHS ({proposal})"

    def _program(self, *, slack: bool) -> tuple[LinearProgram, list[int]]:
        """The master program (t first, as a difference) and what its rows were multiplied by."""
        if not self.columns:
            self._join(policy_iteration(self.model, allowance=self.allowance).choices)
        ahead, rewards = [], [column.reward for column in self.columns]
        if slack:
            ahead, rewards = [_ONE, -_ONE], [_ZERO] * len(rewards)
        costs = zip(*(column.costs for column in self.columns), strict=True)
        rows = [[*ahead, *row] for row in costs]
        rows.append([_ZERO] * len(ahead) + [_ONE] * len(self.columns))
        right = [*self.model.budgets, _ONE]
        relations = ["<="] * self.model.n_constraints + ["="]
        program = LinearProgram.of([*ahead, *rewards], rows, relations, right)
        return program, list(map(row_scale, rows, right))

    def _mixed(
        self, program: LinearProgram, basis: list[int] | None
    ) -> tuple[LinearSolution, list[int]]:
        """The optimal mixture, from the last basis, and its basis for a program of one more."""
        answer = repair(program, basis or program.unit_basis(), allowance=self.allowance)
        return answer, [j if j < program.n_columns else j + 1 for j in answer.basis]

    def _extended(
        self, answer: LinearSolution, scales: list[int], *, slack: bool
    ) -> Mixture | None:
        """The mixture if it is optimal; else a better policy has joined the columns."""
        assert answer.primal is not None and answer.dual is not None and answer.value is not None
        weights = answer.primal.fractions()[2 if slack else 0 :]
        multipliers = tuple(map(mul, answer.dual.fractions(), scales))[:-1]
        best = self._best_at(multipliers, weights, slack=slack)
        allowed = map(mul, multipliers, self.model.budgets)
        bound = value_of(self.model, best.values) + sum(allowed, _ZERO)
        if not slack:
            self.upper = bound if self.upper is None else min(bound, self.upper)
        if bound == answer.value:
            return Mixture(bound, self._occupancy(weights), multipliers, best.values)
        self._join(best.choices)
        return None

    def _best_at(
        self, multipliers: tuple[Fraction, ...], weights: tuple[Fraction, ...], *, slack: bool
    ) -> OptimalValues:
        """The policy that is best at some multipliers, sought from the one of most weight."""
        self.rounds += 1
        function = (
            negated(scalarised_cost(self.model, multipliers))
            if slack
            else lagrangian(self.model, multipliers)
        )
        heaviest = max(range(len(weights)), key=weights.__getitem__)
        return policy_iteration(
            self.model,
            function,
            start=self.columns[heaviest].choices,
            allowance=self.allowance,
        )

    def _join(self, choices: tuple[int, ...]) -> None:
        model, rho = self.model, occupancy_of(self.model, Policy.of_choices(self.model, choices))
        costs = zip(model.costs, model.cost_denominators, strict=True)
        self.columns.append(
            Column(
                tuple(choices),
                rho,
                rho.dot(model.reward.tolist(), model.reward_denominator),
                tuple(rho.dot(row.tolist(), bottom) for row, bottom in costs),
            )
        )

    def _occupancy(self, weights: tuple[Fraction, ...]) -> Vector:
        used = [(w, c.occupancy) for w, c in zip(weights, self.columns, strict=True) if w]
        return Vector.of(
            sum((w * rho[k] for w, rho in used), _ZERO) for k in range(self.model.n_choices)
        )


def to_vertex(program: LinearProgram, point: Vector) -> Vector:
    """A vertex of the same face as an optimal point: no combination of its columns is zero.

    The point moves along null vectors of the columns that it uses, slacks included, until one of
    them is at zero; the objective cannot change, for the point is optimal.
    """
    place, used = point.fractions(), [j for j, x in enumerate(point.numerators) if x]
    rests = _rests(program, place, used)
    used += [program.n_columns + i for i, rest in enumerate(rests) if rest]
    amounts = list(map([*place, *rests].__getitem__, used))
    ways = _null_vectors(program, used)
    while ways:
        way = ways.pop()
        stop = _first_at_zero(amounts, way)
        amounts = _without(amounts, way, stop)
        ways = [_without(other, way, stop) for other in ways]
    moved = dict(zip(used, amounts, strict=True))
    return Vector.of(moved.get(j, x) for j, x in enumerate(place))


def _rests(
    program: LinearProgram, place: Sequence[Fraction], used: Sequence[int]
) -> list[Fraction]:
    """What the columns in use leave of each row's bound."""
    rests = [Fraction(bound) for bound in program.rhs]
    for j in used:
        for i, value in zip(*program.column(j), strict=True):
            rests[i] -= value * place[j]
    return rests


def _first_at_zero(amounts: Sequence[Fraction], way: Sequence[Fraction]) -> int:
    """Which amount is the first at zero along a way, or against it where nothing falls along it."""
    sign = -1 if all(v >= 0 for v in way) else 1
    steps = enumerate(zip(amounts, way, strict=True))
    return min((-sign * x / v, p) for p, (x, v) in steps if sign * v < 0)[1]


def _without(amounts: Sequence[Fraction], way: Sequence[Fraction], stop: int) -> list[Fraction]:
    """The amounts plus the multiple of a way that takes the one at ``stop`` to zero."""
    step = amounts[stop] / way[stop]
    return [x - step * v for x, v in zip(amounts, way, strict=True)]


def _null_vectors(program: LinearProgram, used: list[int]) -> list[list[Fraction]]:
    """A basis of the combinations of some columns that are zero."""
    from flint import fmpz_mat

    rows = [[0] * len(used) for _ in range(program.n_rows)]
    for position, j in enumerate(used):
        for i, value in zip(*program.column(j), strict=True):
            rows[i][position] = value
    basis, count = fmpz_mat(rows).nullspace()
    return [[Fraction(int(basis[p, column])) for p in range(len(used))] for column in range(count)]
