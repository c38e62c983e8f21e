"""Tables of the pillar on offline learning.

python docs/pillars/offline_table.py wsac 5     WSAC against beta and lambda, 5 random problems:
                                                what it gains on the data's policy
"""

import sys
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from holdfast.solvers import Policy, from_arrays
from holdfast.solvers.neural.relative_budget.efficiency import Gap
from holdfast.solvers.offline.problems import SIGNALS, OfflineProblem
from holdfast.solvers.offline.wsac_floats import sample, sweep

BETAS, MULTIPLIERS = (0.5, 2.0, 10.0), (0.0, 1.0, 5.0)
DATA = 500
STATES, ACTIONS, PARTS = 4, 3, 60


def random_problem(seed: int) -> OfflineProblem:
    """Sparse transitions (Dirichlet 3/10, in sixtieths), rewards in [0, 1], costs in [-1, 1], gamma
    9/10; data of the uniform policy, which is the reference; W has 1 and a weight for each pair."""
    generator = np.random.Generator(np.random.Philox(key=seed))

    def law() -> list[Fraction]:
        weights = np.round(generator.dirichlet([0.3] * STATES) * PARTS).astype(int)
        weights[weights.argmax()] += PARTS - weights.sum()
        return [Fraction(int(w), PARTS) for w in weights]

    def tenths(low: int) -> list[list[Fraction]]:
        drawn = generator.integers(low, 11, (STATES, ACTIONS)).tolist()
        return [[Fraction(x, 10) for x in row] for row in drawn]

    rows = [[law() for _ in range(ACTIONS)] for _ in range(STATES)]
    model = from_arrays(rows, tenths(0), [tenths(-10)], [0], discount=Fraction(9, 10))
    size, data = STATES * ACTIONS, Policy.uniform(model)
    one, zero = (Fraction(1),) * size, ((Fraction(0),) * size,)
    each = (tuple(Fraction(size * (i == k)) for i in range(size)) for k in range(size))
    return OfflineProblem(model, data, data, (data,), zero, zero, (one, *each))


def wsac(problems: float = 5) -> Iterator[str]:
    """Gains in normalised J_r and J_c, and by how much a problem's J_c is above that of the data:
    means over problems with Student's 95 percent band."""
    drawn = [random_problem(seed) for seed in range(int(problems))]
    base = [[float(one.normalised_return(one.behaviour, name)) for name in SIGNALS]
            for one in drawn]  # fmt: skip
    yield "gain over the policy of the data, which is the reference"
    yield f"{'data':<12}{'beta':<7}{'lambda':<9}{'J_r':<26}{'J_c':<26}{{J_c}}_+"
    generator = np.random.Generator(np.random.Philox(key=2024))
    for name, seen in (("infinite", drawn), (f"N = {DATA}", [sample(one, DATA, generator)
                                                             for one in drawn])):  # fmt: skip
        found = np.array([sweep(one, BETAS, MULTIPLIERS) for one in seen])
        found -= np.array(base)[:, None, None, :]
        for i, beta in enumerate(BETAS):
            for j, multiplier in enumerate(MULTIPLIERS):
                gains = found[:, i, j, :].T
                bands = [Gap.of(one) for one in (*gains, np.maximum(gains[1], 0))]
                shown = "   ".join(f"{b.mean:+.3f} [{b.low:+.3f}, {b.high:+.3f}]" for b in bands)
                yield f"{name:<12}{beta:<7g}{multiplier:<9g}{shown}"


TABLES = {"wsac": wsac}

if __name__ == "__main__":
    chosen, *more = sys.argv[1:] or ["all"]
    for name, table in TABLES.items():
        if chosen in (name, "all"):
            for line in table(*map(float, more)):
                print(line, flush=True)
