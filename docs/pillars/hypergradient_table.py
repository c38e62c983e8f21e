"""Tables of the pillar on hypergradients, beside figures that were published or found before.

``make hypergradient`` prints them all; one by one:

    python docs/pillars/hypergradient_table.py peers        bias and deviation of each estimator
    python docs/pillars/hypergradient_table.py toy          DiscreteToy4, exact and sampled ascent
    python docs/pillars/hypergradient_table.py nine         HPGD's table, by exact hypergradients
    python docs/pillars/hypergradient_table.py rooms 5 300  FourRooms, from samples, for 5 minutes,
                                                            each run of 300 iterations

The last keeps each run in .holdfast/four-rooms.jsonl, goes on where it was when it is called again,
and prints means over the seeds that are there.
"""

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.stats import t as student

from holdfast.solvers.hypergradient import (
    AffineLeader,
    SoftmaxPolicy,
    discrete_toy4,
    four_rooms,
    game_leader,
    hypergradient,
)
from holdfast.solvers.hypergradient.estimators.ascent import Sampler, ascend, objective
from holdfast.solvers.hypergradient.estimators.enumeration import (
    exact_bias_and_variance,
    small_points,
)
from holdfast.solvers.hypergradient.estimators.estimate import METHODS

PLANNED = 14 / 25
"""Probability of the intended direction that the released codes plan and report objectives with
(they walk with 67/100): the kernel of all FourRooms tables here."""
RUNS = Path(".holdfast/four-rooms.jsonl")
RATE, SEEDS = 0.5, 5
"""Of a sampled ascent: published are the rate that is best of four, and 10 seeds."""
ROOMS = ("bc-hg", "hpgd-oracle", "hpgd-mc", "hpgd-sa", "sobirl", "naive")
READ = {
    (0.001, 100): (0.65, 0.68, 0.0, 0.0, 0.0, 0.0), (0.001, 400): (0.53, 0.70, 0.05, 0, 0, 0),
    (0.001, 1000): (0.20, 0.70, 0.20, 0.0, 0.0, 0.0), (0.003, 100): (0.53, 0.52, 0.10, 0.40, 0, 0),
    (0.003, 400): (0.52, 0.52, 0.24, 0, 0, 0), (0.003, 1000): (0.26, 0.53, 0.25, 0.0, 0.0, 0.0),
    (0.005, 100): (1.33, 0.83, 1.15, 0.83, 0.02, 0.02), (0.005, 400): None,
    (0.005, 1000): (1.05, 0.95, 1.22, 0.78, 0.02, 0.02),
}  # fmt: skip
"""Temperature and steps -> leader's objective at the end, by method, read off figures by eye."""
HPGD = {
    (0.001, 1): "0.91 0.58 0.59", (0.001, 3): "0.51 0.51 0.50", (0.001, 5): "0.46 0.46 0.46",
    (0.003, 1): "0.95 1.00 0.91", (0.003, 3): "0.73 0.39 0.40", (0.003, 5): "0.29 0.32 0.32",
    (0.005, 1): "1.17 1.28 1.15", (0.005, 3): "1.01 1.13 1.02", (0.005, 5): "0.87 0.97 0.79",
}  # fmt: skip
"""Temperature and price -> HPGD, AMD and zero-order of the HPGD repository's table."""


def peers() -> Iterator[str]:
    """Exact fractions, shown as decimals; a bias of none is the number 0."""
    points = small_points()
    for episodes in (1, 2):
        yield f"\nestimates from {episodes} episode(s): bias, and deviation, along three directions"
        for name, method in METHODS.items():
            if method.critic == "stackelberg" or (method.oracle and episodes > 1):
                continue  # of games alone; some thousands of batches more
            found = [exact_bias_and_variance(point, name, episodes) for point in points]
            bias = "".join(f"{float(one.bias):>9.4f}" if one.bias else "     none" for one in found)
            yield f"{name:<16}{bias}   " + "".join(f"{one.variance**0.5:>9.4f}" for one in found)
    yield f"{'true derivative':<16}" + "".join(f"{float(one.gradient):>9.4f}" for one in found)


def toy() -> Iterator[str]:
    """Ascent from p = 1/2 with steps of norm .05 at most; sampled: 3 episodes of 150 steps."""
    for reward, known in ((1, "34.99 at p = .166"), (2, "39.94 at p = .503")):
        leader = game_leader(discrete_toy4(reward), SoftmaxPolicy(np.zeros((3, 2))))
        yield f"\nreward {reward}: start {objective(leader, leader.parameters):.3f}, best {known}"
        for name, sign in (("exact", 1), ("direct alone", 0), ("indirect with wrong sign", -1)):
            end = ascend(leader, _signed(leader, sign), iterations=500, learning_rate=0.05)
            yield f"{name:<26}{end.objectives[-1]:.4f} (best on the way {end.objectives.max():.4f})"
        for name, critic, seeds in (("bc-hg", "exact", 5), ("bc-hg", "sarsa", 5),
                                    ("naive", "exact", 2), ("bi-ac", None, 2)):  # fmt: skip
            ends = [
                ascend(leader, Sampler(leader=leader, seed=s, horizon=150, episodes=3, method=name,
                                       critic=critic),
                       iterations=500, learning_rate=0.05).objectives[-1]
                for s in range(seeds)
            ]  # fmt: skip
            words = f"{name}, {critic or 'its own'} critic"
            yield f"{words:<26}{' '.join(f'{end:.2f}' for end in ends)}"


def _signed(leader: AffineLeader, sign: int) -> Callable[[np.ndarray], np.ndarray]:
    def direction(at: np.ndarray) -> np.ndarray:
        found = hypergradient(leader, at)
        return found.direct + sign * found.indirect

    return direction


def nine(only: float = 0.0) -> Iterator[str]:
    """The leader's objective is the mean over two goals; ascent by exact gradients (L-BFGS).

    only: a temperature, 0 for all.
    """
    yield "beta   price  from no preference  best found  |gradient| there   HPGD AMD zero-order"
    for (temperature, price), published in HPGD.items():
        if only not in (0.0, temperature):
            continue
        leaders = [
            four_rooms(temperature, intended=PLANNED, goal=goal, price=price)
            for goal in ((1, 9), (11, 11))
        ]
        starts = _starts(leaders)
        ends = [_climb(leaders, start) for start in starts]
        best = max(ends)
        yield (f"{temperature:<7}{price:<7}{ends[0][0]:<20.3f}{best[0]:<12.3f}{best[1]:<19.1e}"
               f"{published}")  # fmt: skip


def _starts(leaders: list[AffineLeader]) -> list[np.ndarray]:
    """No preference, and the three best budgets on one cell with half of it kept back."""
    found = []
    for cell in range(104):
        logits = np.zeros(105)
        logits[[cell, -1]] = 6.0
        found.append((np.mean([objective(leader, logits) for leader in leaders]), cell, logits))
    return [np.zeros(105), *[logits for *_, logits in sorted(found, reverse=True)[:3]]]


def _climb(leaders: list[AffineLeader], start: np.ndarray) -> tuple[float, float]:
    def falling(at: np.ndarray) -> tuple[float, np.ndarray]:
        found = [hypergradient(leader, at) for leader in leaders]
        return (-float(np.mean([h.objective for h in found])),
                -np.mean([h.gradient for h in found], axis=0))  # fmt: skip

    end = minimize(falling, start, jac=True, method="L-BFGS-B", options={"maxiter": 120})
    return -float(end.fun), float(np.linalg.norm(end.jac))


def rooms(minutes: float = 5.0, iterations: float = 1_000) -> Iterator[str]:
    """Runs that are missing, seed by seed, until the time is over; then what there is.

    Published are 10,000 iterations.
    """
    until = time.monotonic() + 60 * minutes
    RUNS.parent.mkdir(exist_ok=True)
    done = _done(int(iterations))
    wanted = [(s, t, n, m) for s in range(SEEDS) for (t, n) in READ for m in ROOMS]
    for seed, temperature, steps, method in wanted:
        if (seed, temperature, steps, method) in done or time.monotonic() > until:
            continue
        leader = four_rooms(temperature, intended=PLANNED)
        start = np.random.default_rng(seed).normal(0, 0.01, 105)  # as in the released code
        sampler = Sampler(leader=leader, seed=seed, horizon=200, steps=steps, method=method)
        end = ascend(
            leader, sampler, start, iterations=int(iterations), learning_rate=RATE, records=20
        )
        with RUNS.open("a") as file:
            key = {"seed": seed, "temperature": temperature, "steps": steps, "method": method}
            settings = {"iterations": int(iterations), "rate": RATE}
            file.write(json.dumps(key | settings | {"objectives": end.objectives.tolist()}) + "\n")
    yield from _rooms_table(_done(int(iterations)), int(iterations))


Runs = dict[tuple[int, float, int, str], list[float]]
"""Seed, temperature, steps and method -> leader's objective at the records."""


def _done(iterations: int) -> Runs:
    rows = map(json.loads, RUNS.read_text().splitlines()) if RUNS.exists() else []
    return {
        (r["seed"], r["temperature"], r["steps"], r["method"]): r["objectives"]
        for r in rows
        if (r["iterations"], r["rate"]) == (iterations, RATE)
    }


def _rooms_table(done: Runs, iterations: int) -> Iterator[str]:
    yield f"return after {iterations:,} iterations, 95 percent band over seeds [published]"
    for (temperature, steps), read in READ.items():
        yield f"\nbeta {temperature}, {steps} steps an iteration"
        for k, method in enumerate(ROOMS):
            place = (temperature, steps, method)
            ends = [run[-1] for key, run in done.items() if key[1:] == place]
            if not ends:
                continue
            width = math.inf
            if len(ends) > 1:
                spread = float(np.std(ends, ddof=1)) / math.sqrt(len(ends))
                width = float(student.ppf(0.975, len(ends) - 1)) * spread
            published = "not read" if read is None else f"{read[k]:.2f}"
            band = f"+- {width:<7.3f}" if len(ends) > 1 else "no band   "
            mean = f"{np.mean(ends):>7.3f} {band}"
            yield f"  {method:<13}{mean} of {len(ends)}   [{published}]"


TABLES = {"peers": peers, "toy": toy, "nine": nine, "rooms": rooms}

if __name__ == "__main__":
    chosen, *more = sys.argv[1:] or ["all"]
    for name, table in TABLES.items():
        if chosen in (name, "all"):
            for line in table(*map(float, more)):
                print(line, flush=True)
            print()
