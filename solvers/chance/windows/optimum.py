"""The best stationary policy that meets every window, where the windows are affine in the policy.

In general the risk of a window is a polynomial in the policy.  Where a window meets at most one
state with a choice, and that state once, it is affine in pi(.|x), and the constraints cut one
polytope out of the laws over the actions of each such x.  Then one linear program over occupancies,
with one row for each window that meets a choice, has the policy that is optimal from all states at
once.  A policy that takes p in x is worth a linear-fractional function of p; occupancies are the
Charnes-Cooper variables that make it linear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ...cmdp.policies import Policy, evaluate, value_of
from ...errors import ModelError
from ...exact import Rational
from ...models.checks import check_discounted
from ...programs.program import LinearProgram, LinearSolution, LinearStatus
from ...programs.solve import solve_linear_program
from ...solution import ExactValue, Status
from .problem import WindowProblem

Form = Mapping[int | None, Fraction]
"""An affine function of a policy: its coefficient at each choice, and the constant under None."""


@dataclass(frozen=True, slots=True)
class WindowRow:
    """The windows from `state` constrain the law p over the choices of `decision`: <p, c> <= bound.

    decision: None for a constraint that no choice has a part in, of which the left side is 0.
    """

    state: int | None
    decision: int | None
    coefficients: tuple[Fraction, ...]
    bound: Fraction


def window_rows(problem: WindowProblem) -> tuple[WindowRow, ...]:
    """The constraints as rows, each on one state's choices.

    At level 0, and everywhere, a window of any length is without risk if and only if each step from
    a safe state is, so the rows are those of T = 1.

    Raises
    ------
    ModelError: if a window meets a second state with a choice, or one of them twice.
    """
    forms = _Forms(problem)
    if problem.everywhere:
        steps = problem.window if problem.level else 1
        return tuple(_row(problem, s, forms.of(s, steps)) for s in problem.safe)
    start = problem.model.initial_vector().fractions()
    met = [(p, forms.of(s, problem.window)) for s, p in enumerate(start) if p]
    return (_row(problem, None, _sum(met)),)


def _row(problem: WindowProblem, state: int | None, form: Form) -> WindowRow:
    chosen = [k for k in form if k is not None]
    bound = problem.level - form.get(None, Fraction(0))
    owners = sorted({int(problem.model.choice_states[k]) for k in chosen})
    if len(owners) > 1:
        where = "the initial law" if state is None else f"state {state}"
        raise ModelError(
            f"a window from {where} meets the choices of states {owners[0]} and {owners[1]}, which "
            "couples them; only windows that meet one state with a choice can be optimised exactly"
        )
    if not owners:
        return WindowRow(state, None, (), bound)
    row = tuple(form.get(k, Fraction(0)) for k in problem.choices(owners[0]))
    return WindowRow(state, owners[0], row, bound)


class _Forms:
    """The risk of n steps from a state, as an affine form; computed once for each pair."""

    def __init__(self, problem: WindowProblem) -> None:
        self._problem = problem
        self._known: dict[tuple[int, int], Form] = {}

    def of(self, state: int, steps: int) -> Form:
        """The form; raises ModelError where the risk is not affine."""
        if steps == 0:
            return {}
        if (state, steps) not in self._known:
            self._known[state, steps] = self._compute(state, steps)
        return self._known[state, steps]

    def _compute(self, state: int, steps: int) -> Form:
        choices = self._problem.choices(state)
        if len(choices) == 1:
            return self._after(choices[0], steps)
        form: dict[int | None, Fraction] = {}
        for k in choices:
            later = self._after(k, steps)
            met = next((j for j in later if j is not None), None)
            if met is not None:
                raise ModelError(
                    f"state {state} decides, and {steps} steps are left of a window that meets a "
                    f"choice of state {int(self._problem.model.choice_states[met])} again, so its "
                    "risk is not affine in the policy; only evaluation (window_risks) is exact here"
                )
            form[k] = later.get(None, Fraction(0))
        return form

    def _after(self, choice: int, steps: int) -> Form:
        arrival = self._problem.arrival(choice)
        charged = sum((p for _, p, u, _ in arrival if u), Fraction(0))
        later = [(p, self.of(t, steps - 1)) for t, p, _, on in arrival if on]
        return _sum([*later, (Fraction(1), {None: charged})])


def _sum(parts: Sequence[tuple[Fraction, Form]]) -> Form:
    total: dict[int | None, Fraction] = {}
    for weight, form in parts:
        for k, coefficient in form.items():
            total[k] = total.get(k, Fraction(0)) + weight * coefficient
    return total


def window_program(
    problem: WindowProblem,
    rows: Sequence[WindowRow],
    initial: Sequence[Rational],
    choices: Sequence[int] | None = None,
) -> LinearProgram:
    """Occupancies from the initial law: flow equations, then a row for each window with a choice.

    A row <p, c> <= b on the law of x reads sum_k rho_k (c_k - b) <= 0.  `choices` are the columns,
    all by default.
    """
    model = problem.model
    used = range(model.n_choices) if choices is None else choices
    flow = [[Fraction(0)] * len(used) for _ in range(model.n_states)]
    for j, k in enumerate(used):
        flow[int(model.choice_states[k])][j] += 1
        for t, p in model.transition_row(k):
            flow[t][j] -= model.discount * p
    limits = [_limit(problem, row, used) for row in rows if row.decision is not None]
    reward = model.reward_vector().fractions()
    return LinearProgram.of(
        [reward[k] for k in used],
        [*flow, *limits],
        ["="] * len(flow) + ["<="] * len(limits),
        [*initial, *([0] * len(limits))],
    )


def _limit(problem: WindowProblem, row: WindowRow, used: Sequence[int]) -> list[Fraction]:
    """c_k - b at the choices of the row's state, 0 at all others."""
    assert row.decision is not None
    own = problem.choices(row.decision)
    return [row.coefficients[k - own.start] - row.bound if k in own else Fraction(0) for k in used]


@dataclass(frozen=True, slots=True, repr=False)
class WindowOptimum(ExactValue):
    """A stationary policy that is optimal from every state, among those that meet all windows.

    values: its UN-normalised value from each state; value: from the initial law; rows: the
    constraints that were optimised over.
    """

    problem: WindowProblem
    policy: Policy
    values: tuple[Fraction, ...]
    value: Fraction
    rows: tuple[WindowRow, ...] = field(repr=False)
    statistics: dict[str, Any] = field(repr=False)

    @property
    def status(self) -> Status:
        """EXACT: where no policy meets every window there is no optimum to describe."""
        return Status.EXACT

    def certificate(self) -> dict[str, Any]:
        """That `value` is the optimum of the program over occupancies from the initial law."""
        initial = self.problem.model.initial_vector().fractions()
        return solve_linear_program(window_program(self.problem, self.rows, initial)).certificate()


def hopeless(rows: Sequence[WindowRow]) -> bool:
    """Whether a window in which no choice has a part is too risky."""
    return any(row.bound < 0 for row in rows if row.decision is None)


def solve_windows(problem: WindowProblem) -> WindowOptimum | None:
    """The optimum over all stationary policies that meet every window; None if there is none.

    Raises
    ------
    ModelError: if the risks are not affine in the policy (see `window_rows`), or the discount is 1.
    """
    check_discounted(problem.model)
    rows = window_rows(problem)
    if hopeless(rows):
        return None
    model = problem.model
    everywhere = [Fraction(1, model.n_states)] * model.n_states
    found = solve_linear_program(window_program(problem, rows, everywhere))
    if found.status is not LinearStatus.OPTIMAL:
        return None
    policy = _policy(problem, found)
    values = evaluate(model, policy)
    value = value_of(model, values)
    return WindowOptimum(problem, policy, values.fractions(), value, rows, found.summary())


def _policy(problem: WindowProblem, found: LinearSolution) -> Policy:
    """The law of each state's choices under the occupancy, which is positive in every state."""
    assert found.primal is not None
    rho = found.primal.fractions()
    probabilities = []
    for s in range(problem.model.n_states):
        span = problem.choices(s)
        mass = sum((rho[k] for k in span), Fraction(0))
        probabilities += [rho[k] / mass for k in span]
    return Policy(tuple(probabilities))
