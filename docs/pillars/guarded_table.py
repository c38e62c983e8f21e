"""Tables of guarded planning: ``python docs/pillars/guarded_table.py random`` or ``sepsis``.

``random``: 20 processes of 20 states and 5 actions, of which the behaviour takes 3; the guardian
asks for 30 visits; where every policy leaves the support, a tenth more than the least time outside
is allowed.  *Unguarded* plans with a guess where nothing was logged, that the state stays as it is,
and the true rewards.  ``sepsis``: ICU-Sepsis with its clinicians as behaviour and the SOFA score as
cost, which must not exceed theirs.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from holdfast.solvers import CMDP, Policy, from_arrays, policy_iteration, policy_return, solve
from holdfast.solvers.offline.guarded import (
    Obstacle,
    enclosed_value,
    from_starts,
    plan,
)
from holdfast.solvers.offline.guardians import counted
from holdfast.solvers.offline.learned import Range, learned
from holdfast.solvers.offline.logs import Log
from holdfast.solvers.offline.sepsis import expert_policy, sepsis
from holdfast.solvers.offline.simulated import simulate

STATES, ACTIONS, COVERED, PROCESSES, LEAST = 20, 5, 3, 20, 30
STEPS = (2_000, 20_000, 200_000, 2_000_000)
DELTA = Fraction(1, 20)
COST = ("cost", 0)


def process(seed: int) -> CMDP:
    """Rewards and costs in tenths; the budget is half way between the least and the greedy cost."""
    draws = np.random.Generator(np.random.Philox(key=seed))
    weights = draws.integers(1, 10, (STATES, ACTIONS, STATES)) ** 3
    laws = [[[Fraction(int(w), int(row.sum())) for w in row] for row in pair] for pair in weights]
    reward, cost = (
        [[Fraction(int(x), 10) for x in row] for row in draws.integers(0, 11, (STATES, ACTIONS))]
        for _ in range(2)
    )
    model = from_arrays(laws, reward, [cost], [0], discount=Fraction(9, 10))
    least = policy_iteration(model, COST, maximise=False).policy(model)
    greedy = policy_iteration(model).policy(model)
    ends = [policy_return(model, one, COST) for one in (least, greedy)]
    return model.with_budgets(sum(ends) / 2)


def guessed(log: Log, truth: CMDP) -> Log:
    """The log with one step to the same state for each pair that was not logged; true rewards."""
    visits = np.zeros((STATES, ACTIONS), dtype=np.int64)
    visits[np.ix_(log.states, log.actions)] = log.visits
    made = [[s, a, s, 1] for s, a in np.argwhere(visits == 0).tolist()]
    moves = log.moves.copy()
    moves[:, 1] = log.actions[moves[:, 1]]
    vectors = (truth.reward_vector(), truth.cost_vector(0))
    table = np.stack([v.floats().reshape(STATES, ACTIONS) for v in vectors])
    every = np.maximum(visits, 1)
    return replace(log, actions=np.arange(ACTIONS), moves=np.vstack([moves, made]),
                   sums=table * every, least=table, most=table)  # fmt: skip


def _ranges(truth: CMDP) -> list[Range]:
    vectors = (truth.reward_vector(), truth.cost_vector(0))
    return [Range.of(min(v.fractions()), max(v.fractions()), truth.discount) for v in vectors]


def _row(truth: CMDP, steps: int, seed: int) -> dict[str, float]:
    covering = Policy.of(truth, [Fraction(a < COVERED, COVERED) for a in truth.actions.tolist()])
    log = simulate(truth, covering, steps, length=200, seed=seed)
    truth = from_starts(log, truth)
    ranges, budgets = _ranges(truth), truth.budgets
    logging = policy_return(truth, covering)
    found = {"behaviour true": float(logging)}
    for name, data, supported, limit, certified in (
        ("guarded", log, counted(log, LEAST), Fraction(0), False),
        ("cautious", log, counted(log, LEAST), Fraction(0), True),
        ("unguarded", guessed(log, truth), None, None, False),
    ):
        pairs = data.visits > 0 if supported is None else supported
        known = learned(data, pairs, ranges, budgets, DELTA, fixed=(0, 1))
        one = plan(known, limit, certified=certified)
        if isinstance(one, Obstacle) and one.exits > 0:
            one = plan(known, one.exits * Fraction(11, 10), certified=certified)
        if isinstance(one, Obstacle):
            continue
        acting = one.in_model(truth)
        value, cost = policy_return(truth, acting), policy_return(truth, acting, COST)
        found[f"{name} true"] = float(value)
        found[f"{name} model error"] = float(one.values[0] - value)
        found[f"{name} excess cost"] = float(max(cost - budgets[0], Fraction(0)))
        if supported is not None:
            found[f"{name} certified"] = float(one.bound(0))
            found[f"{name} certified above the behaviour"] = float(one.bound(0) > logging)
            found[f"{name} keeps budgets by certificate"] = float(one.kept)
            found[f"{name} lost to transitions"] = float(one.inside[0])
    return found


def random() -> Iterator[str]:
    """Means over the processes, and how many had such a plan."""
    truths = [process(seed) for seed in range(PROCESSES)]
    best = [float(solve(one).value or 0) for one in truths]
    yield f"oracle {np.mean(best):.2f}"
    for steps in STEPS:
        rows = [_row(truth, steps, seed) for seed, truth in enumerate(truths)]
        for name in dict.fromkeys(name for row in rows for name in row):
            values = [row[name] for row in rows if name in row]
            yield f"N = {steps:>9,}  {name:<40}{np.mean(values):10.3f}  ({len(values)} plans)"


def clinicians() -> Iterator[str]:
    """Each part of the bound at growing logs."""
    unlimited = sepsis(Fraction(10**6))
    expert = expert_policy(unlimited)
    value, cost = (enclosed_value(unlimited, expert, one) for one in
                   (None, unlimited.cost_vector(0)))  # fmt: skip
    truth = unlimited.with_budgets(Fraction(float(cost[1])).limit_denominator(1000))
    yield f"clinicians: survival {float(value[0]):.4f}, SOFA {float(cost[0]):.2f} (discounted)"
    one, zero = Fraction(1), Fraction(0)
    ranges = [Range((zero, one), (zero, one)), _ranges(truth)[1]]  # one survives once
    for steps in STEPS[1:]:
        log = simulate(truth, expert, steps, length=500, seed=0)
        begun = from_starts(log, truth)
        yield f"N = {steps:,}: {log.returns[:, 0].mean():.4f} of expected rewards are logged"
        known, anything = (
            learned(log, pairs, ranges, truth.budgets, DELTA, truth.n_states, fixed=(0, 1))
            for pairs in (counted(log, LEAST), log.visits > 0)
        )
        for name, model, limit in (
            ("guarded", known, Fraction(1, 20)),
            ("unguarded", anything, None),
        ):
            one = plan(model, limit)
            if isinstance(one, Obstacle):
                yield f"  {name}: no plan; least time outside {float(one.exits):.3g}"
                continue
            acting = one.in_model(truth)
            ends = [enclosed_value(begun, acting, f)[0] for f in (None, truth.cost_vector(0))]
            yield (
                f"  {name}: in the model {float(one.values[0]):.4f}, transitions -"
                f"{float(one.inside[0]):.4f}, outside -{float(one.outside[0]):.4f}, certified "
                f"{float(one.bound(0)):.4f}; true survival {float(ends[0]):.4f}, SOFA "
                f"{float(ends[1]):.2f}"
            )


if __name__ == "__main__":
    parts = {"random": random, "sepsis": clinicians}
    for name in sys.argv[1:] or parts:
        for line in parts[name]():
            print(line, flush=True)
