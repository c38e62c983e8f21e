"""Constrained MDPs as linear programs over occupancies, and windows as constrained MDPs.

Returns are un-normalised, J = E sum gamma^t r_t. The occupancy x of a policy, x(s, a) = E sum of
gamma^t over the t with (s_t, a_t) = (s, a), meets one flow equation for each state,

    sum_a x(s, a) - gamma sum_(s', a') P(s | s', a') x(s', a') = initial(s),

and every x >= 0 that does is the occupancy of a policy. Its mass is 1 / (1 - gamma), and for any V
J = initial.V + x.residual with residual = payoff + gamma P V - V, minus the slack of V. So a return
lies within mass times the least and the greatest residual of initial.V; exactly there, if V solves
the policy's evaluation equation.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from .documents import anything, array, digest, field, located, one_of, ranged, record, vector
from .enclosures import Enclosure
from .exact import (
    Vector,
    common_multiple,
    common_vector,
    effort,
    integer,
    least,
    longest,
    rational,
    require,
    show,
    size,
    spend,
    stack,
)
from .programs import Column, Program

Rows = list[list[list[int]]]  # of each pair: [successor, weight >= 1], the weights of any sum
LARGEST_WINDOW = 2**20  # pairs (state, action) after unrolling, all held in memory at once


@dataclass(frozen=True, slots=True)
class Process:
    """A constrained MDP; pair k is an action in states[k], and leads on as rows[k] says."""

    states: list[int]
    rows: Rows
    discount: Fraction
    reward: Vector
    costs: list[Vector]
    budgets: Vector
    initial: Vector


def _process(
    n_states: int, choices: list[list[int]], transitions: Rows, kind: str, **numbers: Any
) -> Process:
    states, distinct = [s for s, _ in choices], [*dict.fromkeys(s for s, _ in choices)]
    ordered = states == sorted(states) and distinct == [*range(len(distinct))]
    fits = ordered and len(distinct) == n_states
    require(fits, f".choices are not sorted by state over 0..{show(n_states - 1)}", states)
    require(len({*map(tuple, choices)}) == len(states), ".choices repeat a pair", choices)
    found = Process(states, transitions, **numbers)
    rows = f".transitions must have {len(states)} rows, not"
    require(len(transitions) == len(states), rows, len(transitions))
    _check_rows(transitions, n_states)
    for i, payoff in enumerate([found.reward, *found.costs]):
        payoff.require_length(f".costs[{i - 1}]" if i else ".reward", len(states))
    found.initial.require_length(".initial", n_states)
    found.initial.require_distribution(".initial")
    found.budgets.require_length(".budgets", len(found.costs))
    require(0 <= found.discount <= 1, ".discount is outside [0, 1]", found.discount)
    return found


def _check_rows(rows: Rows, n_states: int) -> None:
    for k, row in enumerate(rows):
        wrong = [[t, w] for t, w in row if not 0 <= t < n_states or w <= 0]
        require(row and not wrong, f".transitions[{k}] has no or wrong entries", wrong)


plain = record(
    _process,
    kind=one_of("cmdp"),
    n_states=integer,
    choices=array(array(integer, 2)),
    transitions=array(array(array(integer, 2))),
    discount=rational,
    reward=vector,
    costs=array(vector),
    budgets=vector,
    initial=vector,
)
"""Parser of constrained MDPs: states 0 .. n_states - 1, gamma in [0, 1], at least one successor and
weights >= 1 in each row, choices [state, action] sorted by state; actions are names, any integers
that differ within a state."""


# Windows


@dataclass(frozen=True, slots=True)
class Window:
    """T decisions with a bound on unsafe states, on a process with no costs of its own.

    Maximise E[sum over t < T of gamma^t r_t, plus gamma^T terminal(s_T)] subject to

        E[sum over t = 1 .. T of z^(unsafe states before s_t) [s_t is unsafe]] <= level

    with z = `charge`; with `counts_start` the start s_0 is among the states that count. At z = 0
    only the first visit is charged, so this is the chance of any, and at z = 1 the expected number
    of visits. Without `reward_after_violation` nothing is earned after an unsafe state.

    `unroll` makes of it a constrained MDP with the same policies, returns and charges:

    1. A state says what matters: (t, c, s) with t decisions taken, c unsafe states counted so far
       (C = `memories` values, the last for "or more") and the state s. It has the number
       (t C + c) n + s. The last state of all, T C n, is the end: there for ever, for nothing.
    2. Choosing at (t, c, s) leads to (t + 1, d, s') with the probability of s', where d is c, or
       c + 1 if s' is unsafe. At t = T - 1 it leads to the end.
    3. A visit is charged when it is decided: z^c times the probability that s' is unsafe.
    4. Here gamma discounts the reward and nothing discounts the charge; a constrained MDP has one
       discount for both. So it is 1/2, and at t every payoff is multiplied by 2^t, which undoes it:
       (1/2)^t (2 gamma)^t r = gamma^t r, and (1/2)^t 2^t z^c = z^c.
    5. gamma^T terminal(s_T) is earned with the last decision as gamma times its expectation, since
       gamma^(T-1) is in the factor already; only where d = 0 without `reward_after_violation`.
    6. An unsafe start that counts has c = 1 at once; its charge, z^0 times the probability of such
       a start, is in nobody's hands and is subtracted from the level.
    """

    model: Process
    unsafe: frozenset[int]
    horizon: int
    level: Fraction
    charge: Fraction
    terminal: Vector
    counts_start: bool
    reward_after_violation: bool

    @property
    def memories(self) -> int:
        """How many numbers of earlier visits 0, 1, ... are told apart; the last means "or more".

        None and some, if only the first visit is charged; all up to T, if z^c differs for each;
        and none at all if z = 1, where earlier visits matter to the reward alone.
        """
        if 0 < self.charge < 1:
            return self.horizon + 1
        return 1 if self.charge == 1 and self.reward_after_violation else 2

    def earns(self, count: int) -> bool:
        """Whether anything is earned after so many unsafe states."""
        return count == 0 or self.reward_after_violation

    def risk(self, row: list[list[int]]) -> Fraction:
        """The chance that the next state is unsafe."""
        return Fraction(sum(w for s, w in row if s in self.unsafe), sum(w for _, w in row))

    def bonus(self, leads: list[tuple[int, int, int]]) -> Fraction:
        """Step 5, for a last decision that leads to (state, count, weight)."""
        expected = sum(w * self.terminal[s] for s, count, w in leads if self.earns(count))
        return self.model.discount * expected / sum(w for _, _, w in leads)


def _window(unsafe: list[int], kind: str, **parts: Any) -> Window:
    found = Window(unsafe=frozenset(unsafe), **parts)
    states = len(found.model.initial)
    valid = len(found.unsafe) == len(unsafe) and all(0 <= s < states for s in unsafe)
    require(valid, f".unsafe must be different states of 0..{states - 1}", unsafe)
    own = len(found.model.costs)
    require(
        own == 0, ".model must have no costs and budgets of its own, which would not count", own
    )
    found.terminal.require_length(".terminal", states)
    require(0 <= found.charge <= 1, ".charge is outside [0, 1]", found.charge)
    pairs = found.horizon * found.memories * len(found.model.states)
    require(pairs <= LARGEST_WINDOW, ".horizon makes more pairs (state, action) than 2^20", pairs)
    return found


window = record(
    _window,
    kind=one_of("joint-chance"),
    model=plain,
    unsafe=array(integer),
    horizon=ranged(1, LARGEST_WINDOW),
    level=rational,
    charge=rational,
    terminal=vector,
    counts_start=one_of(True, False),
    reward_after_violation=one_of(True, False),
)
"""Parser of windows: 1 <= horizon, 0 <= charge <= 1, unsafe states different and of the model."""


def unroll(window: Window) -> Process:
    """The constrained MDP of the window, by the steps 1 to 6 above.

    Example: n = 2 states, x and U (unsafe); at x one may stay for 0, or try for 1 and be in x or U
    with probability 1/2 each; U is left by nothing. T = 1, z = 0, so C = 2 and T C n = 4: states
    0 = (0, 0, x), 1 = (0, 0, U), 2 = (0, 1, x), 3 = (0, 1, U), 4 the end. The seven pairs are
    stay, try, on | stay, try, on | end, all leading to 4; they pay 0, 1, 0 | 0, 1, 0 | 0 and are
    charged 0, 1/2, 1 | 0, 0, 0 | 0, as z^1 = 0. Trying half the time uses up a level of 1/4 and
    earns 1/2: occupancy 1/2, 1/2, 0 | 0, 0, 0 | 1, where the 1 is (1/2) + (1/4) + ... at the end.
    """
    model, n, memories = window.model, len(window.model.initial), window.memories
    end, last = window.horizon * memories * n, window.horizon - 1
    _charge(window)
    states: list[int] = []
    rows: Rows = []
    rewards, charges = [], []
    for t, c in product(range(window.horizon), range(memories)):
        worth, price = (2 * model.discount) ** t, 2**t * window.charge**c
        for k, row in enumerate(model.rows):
            leads = [(s, min(c + (s in window.unsafe), memories - 1), w) for s, w in row]
            onward = [[((t + 1) * memories + d) * n + s, w] for s, d, w in leads]
            states.append((t * memories + c) * n + model.states[k])
            rows.append(onward if t < last else [[end, 1]])
            earned = model.reward[k] * window.earns(c)
            rewards.append(worth * (earned + (t == last and window.bonus(leads))))
            charges.append(price * window.risk(row))
    reward, charge = common_vector([*rewards, Fraction(0)]), common_vector([*charges, Fraction(0)])
    states, rows = [*states, end], [*rows, [[end, 1]]]
    return Process(states, rows, Fraction(1, 2), reward, [charge], *_start(window, end + 1))


def _charge(window: Window) -> None:
    """For the numbers of `unroll`: products of powers, none longer than `bits`, and of payoffs."""
    model = window.model
    bits = window.horizon * (size(2 * model.discount) + size(window.charge) + 1)
    parts = [1, *(w for row in model.rows for _, w in row)]
    for payoff in (model.reward, window.terminal):
        parts += [payoff.denominator, *payoff.numerators]
    width = 4 * longest(parts)
    one = 2 * effort(bits, bits) + len(model.rows) * 6 * effort(bits + width, width)
    one += sum(map(len, model.rows)) * effort(width, width)
    spend(window.horizon * window.memories * one)


def _start(window: Window, states: int) -> tuple[Vector, Vector]:
    """Step 6: the level that is left, as a vector, and the initial law."""
    initial, start = window.model.initial, [0] * states
    counted = window.unsafe if window.counts_start else frozenset()
    for s, share in enumerate(initial.numerators):
        start[min(s in counted, window.memories - 1) * len(initial) + s] = share
    spent = sum(initial[s] for s in counted)
    return common_vector([window.level - spent]), Vector(start, initial.denominator)


# Both as linear programs


@dataclass(frozen=True, slots=True)
class Model:
    """The columns of `program` are the pairs of `process`, its rows flow equations, then budgets.

    mass: 1 / (1 - gamma), of every occupancy; title: what a conclusion calls the model.
    """

    process: Process
    program: Program
    mass: Fraction
    title: str

    def dual(self, values: Vector, multipliers: Vector) -> Vector:
        """y of the rows: the value function on the flow equations, prices on the budgets."""
        values.require_length("values", len(self.process.initial))
        return stack(values, multipliers)

    def payoff(self, function: Any) -> tuple[Vector, str]:
        """The vector and name of "reward", ["cost", i] or {"values": [...]}, one for each pair."""
        if isinstance(function, dict):
            return field("values", vector)(
                function
            ), "the function of its pairs that is written out"
        if function == "reward":
            return self.process.reward, "the reward"
        one_of("cost")(array(anything, 2)(function)[0])
        i = located("cost", ranged(0, len(self.process.costs) - 1), function[1])
        return self.process.costs[i], f"cost {i}"

    def evaluate(self, payoff: Vector, policy: Vector, values: Vector) -> Enclosure:
        """Of the return of a policy: exact if values solve its evaluation equation."""
        process = self.process
        policy.require_length("policy", len(process.states))
        policy.require_positive("policy")
        payoff.require_length("payoff", len(process.states))
        values.require_length("values", len(process.initial))
        dual = stack(values, Vector([0] * len(process.costs)))
        slacks, shares = self.program.slacks(dual, payoff), [0] * len(values)
        residuals = [Fraction(0)] * len(values)
        for s, share, slack in zip(
            process.states, policy.numerators, slacks.numerators, strict=True
        ):
            shares[s] += share
            if share:
                spend(2 * effort(size(residuals[s]), size(slack) + share.bit_length()))
                residuals[s] -= share * slack
        for s, total in enumerate(shares):
            complete = total == policy.denominator
            require(complete, f"policy in state {s} has sum", Fraction(total, policy.denominator))
        error = Enclosure(least(residuals), -least([-x for x in residuals]))
        scale = Enclosure.exact(self.mass / (slacks.scale * policy.denominator))
        found: Enclosure = Enclosure.exact(process.initial.dot(values)) + error * scale
        return found


def model(value: Any) -> Model:
    """A model of kind "cmdp", discounted (gamma < 1), or "joint-chance"."""
    if isinstance(value, dict) and value.get("kind") == "joint-chance":
        found: Window = window(value)
        process, pairs, risk = unroll(found), len(found.model.states), show(found.level)
        discount = found.model.discount
        bound = f"{_count(found.horizon, 'decision')}, charge {show(found.charge)}, level {risk}"
        title = f"the joint-chance window ({bound}; {len(found.model.initial)} states"
    else:
        process = plain(value)
        require(process.discount < 1, ".discount is outside [0, 1)", process.discount)
        pairs, discount = len(process.states), process.discount
        title = f"the constrained MDP ({_count(len(process.costs), 'budget')}; "
        title += f"{len(process.initial)} states"
    title += f", {pairs} choices, discount {show(discount)}, digest {digest(value)})"
    return Model(process, _program(process, title), 1 / (1 - process.discount), title)


def _program(process: Process, title: str) -> Program:
    """Columns scaled by gamma's denominator, a row's sum of weights, and the costs' denominator."""
    top, base = process.discount.as_integer_ratio()
    n, costs = len(process.initial), process.costs
    common = common_multiple(cost.denominator for cost in costs)
    spend(sum(len(cost) * effort(longest(cost.numerators), common.bit_length()) for cost in costs))
    prices = [[c * (common // cost.denominator) for c in cost.numerators] for cost in costs]
    width = max(map(longest, prices), default=0)

    def column(k: int) -> Column:
        weights = sum([w for _, w in process.rows[k]])
        total = base * weights
        entries = [(t, -top * common * w) for t, w in process.rows[k]]
        entries.append((process.states[k], common * total))
        entries += [(n + i, price[k] * total) for i, price in enumerate(prices)]
        return Column(common * total, width + (common * total).bit_length(), entries)

    rhs = stack(process.initial, process.budgets)
    bounded = [False] * n + [True] * len(costs)
    return Program(process.reward, column, bounded, rhs, title)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)
