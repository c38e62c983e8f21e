"""Small constrained MDPs in exact numbers: named ones, whose optimum is known, and drawn ones."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers import (
    CMDP,
    from_arrays,
    from_gymnasium,
    policy_iteration,
    policy_return,
    value_of,
)
from holdfast.solvers.models.formats.document import model_from_document
from holdfast.verify.cmdp.landmarks import bandit, g1, g2, negative_cost, risky_branch

F = Fraction
KINDS = ("generic", "deterministic", "ties", "unreachable")


def two_states(costs: Sequence[Sequence[int]], budgets: Sequence[Any]) -> CMDP:
    """G1 (``verify.cmdp.landmarks``) with other costs."""
    return g1().with_costs(costs, budgets)


def dry_lake() -> CMDP:
    """FrozenLake without ice: reward 1 at the goal, cost 1 a step, gamma = 9/10.

    The nearest hole is 2 steps away and the goal 6, so that policies have (J_c, J_r) = (19/10, 0)
    and (sum_{t<6} gamma^t, gamma^5); whatever takes longer costs more and earns less.  With the
    budget half-way between the two costs half of the episodes reach the goal: gamma^5 / 2.
    """
    short, long = (sum(F(9, 10) ** t for t in range(steps)) for steps in (2, 6))
    return from_gymnasium(
        "FrozenLake-v1", costs=[lambda _state, _action, _next: 1], budgets=[(short + long) / 2],
        discount=F(9, 10), make_kwargs={"is_slippery": False},
    )  # fmt: skip


def twins() -> CMDP:
    """G1 with its cost twice, and a cost of zero whose budget is met for sure: 7/2 as in G1."""
    return two_states([[0, 1, 0, 2], [0, 1, 0, 2], [0, 0, 0, 0]], [F(3, 2), F(3, 2), 0])


def apart() -> CMDP:
    """State 1 is never reached; state 0 earns and pays 1 at will, for ever: the budget, 1."""
    return from_arrays(
        [[[1, 0], [1, 0]], [[0, 1], [0, 1]]], [[1, 0], [0, 5]], [[[1, 0], [0, 0]]], [1],
        discount="1/2", initial=[1, 0],
    )  # fmt: skip


@dataclass(frozen=True)
class Known:
    """A model with its optimum; None where no policy meets the budgets."""

    build: Callable[[], CMDP]
    value: Fraction | None


KNOWN = {
    "G1": Known(g1, F(7, 2)),
    "G1 at a kink": Known(lambda: g1(1), F(3)),
    "G1 without cost": Known(lambda: two_states([], []), F(14, 3)),
    "G1, cost twice": Known(twins, F(7, 2)),
    "G2": Known(g2, F(43, 16)),
    "G2, other budgets": Known(lambda: g2((F(2), F(1, 3))), F(77, 24)),
    "G2, infeasible by 1/20": Known(lambda: g2((F(3, 2), F(1, 4))), None),  # test_occupancy.py
    "bandit": Known(bandit, F(1, 2)),
    "bandit for ever": Known(lambda: bandit(F(1, 2), F(9, 10)), F(1, 2)),
    # It pays and costs 1 from time 1 on, with weight gamma q = 9/20: the budget allows 4/9 of it.
    "risky branch": Known(lambda: risky_branch(F(1, 2), F(9, 10), F(1, 5), 0), F(1, 5)),
    # J_c = -1/(1 - gamma) = -2 whatever is done, and the best action pays 1: 1/(1 - gamma).
    "utility": Known(lambda: negative_cost(F(-1), F(1, 2)), F(2)),
    "utility, infeasible": Known(lambda: negative_cost(F(-3), F(1, 2)), None),
    "a state apart": Known(apart, F(1)),
    "FrozenLake without ice": Known(dry_lake, F(9, 10) ** 5 / 2),
}


def random_model(
    seed: int, *, states: int = 4, actions: int = 3, constraints: int = 1, kind: str = "generic"
) -> CMDP:
    """A small model with exact random data; ``kind`` adds ties, determinism or unreachable states.

    Budgets lie a random fraction of the way from each least cost to the cost of a reward-optimal
    policy (so that one constraint is always feasible).
    """
    rng = random.Random(f"{seed}/{states}/{actions}/{constraints}/{kind}")
    successors: list[int] = []
    weights: list[int] = []
    indptr, choices, start = [0], [], [0]
    for s in range(states):
        count = rng.randint(1, actions)
        choices += range(count)
        start.append(start[-1] + count)
        for _ in range(count):
            reach = range(states - 1) if kind == "unreachable" and s < states - 1 else range(states)
            width = 1 if kind == "deterministic" else rng.randint(1, min(3, len(reach)))
            successors += rng.sample(list(reach), width)
            weights += [rng.randint(1, 9) for _ in range(width)]
            indptr.append(len(successors))
    top = 1 if kind in ("deterministic", "ties") else 20
    size = len(choices)
    model = CMDP(
        states,
        start,
        choices,
        indptr,
        successors,
        weights,
        [rng.randint(-top, top) for _ in range(size)],
        7,
        [[rng.randint(-top, top) for _ in range(size)] for _ in range(constraints)]
        if constraints
        else np.empty((0, size), dtype=int),
        (3,) * constraints,
        (0,) * constraints,
        rng.choice([Fraction(0), Fraction(1, 3), Fraction(9, 10), Fraction(99, 100)]),
        [1] + [0 if kind == "unreachable" else 1] * (states - 1),
    )
    best = policy_iteration(model).policy(model)
    budgets = []
    for i in range(constraints):
        least = value_of(model, policy_iteration(model, ("cost", i), maximise=False).values)
        share = Fraction(rng.randint(0, 8), 8)
        budgets.append(least + share * (policy_return(model, best, ("cost", i)) - least))
    return model.with_budgets(*budgets)


def drawn(states: int, constraints: int, kind: str, seed: int) -> CMDP:
    """A small model of up to four actions, the same one for all solvers."""
    return random_model(seed, states=states, actions=4, constraints=constraints, kind=kind)


# -- the same model, written otherwise -------------------------------------------------------------
def reread(model: CMDP) -> CMDP:
    """Through its JSON document."""
    return model_from_document(json.loads(json.dumps(model.to_dict())))


def renamed(model: CMDP) -> CMDP:
    """The states in the opposite order, and so the choices of each."""
    owners = model.choice_states
    order = [k for s in reversed(range(model.n_states)) for k in np.flatnonzero(owners == s)]
    rows = [model.transition_row(k) for k in order]
    last = model.n_states - 1
    counts = model.action_counts[::-1]
    return CMDP(
        model.n_states,
        [0, *np.cumsum(counts)],
        model.actions[order],
        [0, *np.cumsum([len(row) for row in rows])],
        [last - t for row in rows for t, _ in reversed(row)],
        [
            int(p * model.denominators[k])
            for k, row in zip(order, rows, strict=True)
            for _, p in reversed(row)
        ],
        model.reward[order],
        model.reward_denominator,
        model.costs[:, order],
        model.cost_denominators,
        model.budgets,
        model.discount,
        model.initial[::-1],
    )


def rescaled(model: CMDP) -> CMDP:
    """Weights and their sums three times as large, the reward and its denominator seven times."""
    return replace(
        model, weights=model.weights * 3, initial=model.initial * 5, reward=model.reward * 7,
        reward_denominator=model.reward_denominator * 7,
    )  # fmt: skip


FORMS: dict[str, Callable[[CMDP], CMDP]] = {
    "as given": lambda model: model,
    "reread": reread,
    "renamed": renamed,
    "rescaled": rescaled,
}
