"""Tables of controlled multipliers and of value alignment.

    python docs/pillars/pid_table.py stability [CASES]   against eigenvalues and iterates
    python docs/pillars/pid_table.py marvel [TABLES]     what alignment does to a critic's ranks

Without a name both are printed; the defaults are 100,000 cases and 500 tables.
"""

import sys
import time
from collections.abc import Iterator

import numpy as np

from holdfast.solvers.offline.multipliers.controllers import PID, Ascent
from holdfast.solvers.offline.multipliers.stability import stable_margin
from holdfast.solvers.offline.value_alignment import (
    aligned,
    cpq_fixed_point,
    drawn_table,
    marvel,
)

EDGE, CLEAR = 1e-7, 0.02
"""Distance of the largest modulus from 1 within which a case is skipped, and beyond which 2,000
iterates are sure to tell: 0.98^2000 is 3e-18."""
STEPS = 2000
KNOWN = "Spearman .825 -> .9985, largest error 4.42 -> .21"
"""As found before, on tables drawn in another way."""


def cases(number: int, seed: int = 0) -> np.ndarray:
    """a, b, K_P, K_I, K_D and eta, [6, number]; half without curvature, half without K_D."""
    rng = np.random.default_rng(seed)
    scale = np.array([2.0, 2.0, 10.0, 5.0, 3.0, 0.3])[:, None]
    drawn = rng.uniform(0.02, 1, (6, number)) * scale
    drawn[0] *= rng.integers(0, 2, number)
    drawn[1] *= rng.choice([-1, 1], number)
    drawn[4] *= rng.integers(0, 2, number)
    return drawn


def radii(drawn: np.ndarray) -> np.ndarray:
    """The largest modulus of an eigenvalue, from matrices of the state (x, I, e)."""
    a, b, kp, ki, kd, eta = drawn
    M = np.zeros((drawn.shape[1], 3, 3))
    M[:, 0, 0] = 1 - eta * a - eta * b * b * (kp + ki + kd)
    M[:, 0, 1], M[:, 0, 2] = -eta * b * ki, eta * b * kd
    M[:, 1, 0], M[:, 1, 1], M[:, 2, 0] = b, 1, b
    return np.abs(np.linalg.eigvals(M)).max(axis=1)


def iterates(drawn: np.ndarray) -> np.ndarray:
    """How large the state is in the end, from x = 1; infinite where it has overflown."""
    a, b, kp, ki, kd, eta = drawn
    x, total, before = np.ones_like(a), np.zeros_like(a), np.zeros_like(a)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(STEPS):
            e = b * x
            total = total + e
            x = x - eta * (a * x + b * (kp * e + ki * total + kd * (e - before)))
            before = e
        return np.nan_to_num(np.abs(x) + np.abs(total) + np.abs(before), nan=np.inf)


def stability(number: float = 100_000) -> Iterator[str]:
    """The closed form, by eigenvalues and by trajectories, and three mutants of it."""
    started = time.perf_counter()
    drawn = cases(int(number))
    a, b, kp, ki, kd, eta = drawn
    predicted, radius = stable_margin(*drawn) > 0, radii(drawn)
    decided, clear = np.abs(radius - 1) > EDGE, np.abs(radius - 1) > CLEAR
    calm = iterates(drawn) < 1
    yield f"{drawn.shape[1]:,} loops, {predicted.mean():.1%} of them predicted to be stable"
    yield (
        f"against eigenvalues: {(decided & (predicted != (radius < 1))).sum()} mismatches, "
        f"{(~decided).sum()} skipped within {EDGE:g} of the edge"
    )
    yield (
        f"against {STEPS:,} iterates: {(clear & (predicted != calm)).sum()} mismatches, "
        f"{(~clear).sum():,} skipped within {CLEAR:g}"
    )
    spent = 2 * eta * (a + b * b * kp) + eta * b * b * ki
    mutants = {
        "without K_P": stable_margin(a, b, 0 * kp, ki, kd, eta) > 0,
        "without an upper limit of K_P": ki > 0,
        "without K_D": spent < 4,
    }
    for name, said in mutants.items():
        yield f"mutant {name}: {(decided & (said != (radius < 1))).sum():,} mismatches"
    yield f"{time.perf_counter() - started:.1f} s"


def marvel_table(number: float = 500) -> Iterator[str]:
    """Means with 95 percent bands over drawn tables: S = 8, A = 3, gamma = .9, 20 sweeps."""
    yield f"S = 8, A = 3, gamma = 0.9, 20 sweeps, alpha = 0.05; found before: {KNOWN}"
    found = []
    for seed in range(int(number)):
        table, cost_critic = drawn_table(seed)
        start = cpq_fixed_point(table, cost_critic <= np.median(cost_critic))
        one = aligned(table, table.reward, start, 20, 0.05)
        found.append((one.before, one.after, one.error_before, one.error_after))
    means = np.nanmean(found, axis=0)
    bands = 1.96 * np.nanstd(found, axis=0, ddof=1) / np.sqrt(len(found))
    names = ("Spearman before", "after", "largest error before", "after")
    for name, mean, band in zip(names, means, bands, strict=True):
        yield f"{name:<22}{mean:.4f} +- {band:.4f}"
    yield f"tables on which Spearman fell: {sum(one[1] < one[0] for one in found)} of {len(found)}"
    table, cost_critic = drawn_table(0)
    # pure integral control is ascent, of which alone the speed limit speaks
    for name, controller in {
        "ascent": Ascent(1.0, 0.1, start=10.0),
        "integral control": PID(1.0, 0.0, 0.1, 0.0, start=10.0),
    }.items():
        run = marvel(table, np.full(8, 1 / 8), cost_critic, float(np.median(cost_critic)),
                     controller, updates=60)  # fmt: skip
        lowest = [max(10 - 0.1 * k, 0) for k in (0, 20, 40, 60)]
        shown = ", ".join(
            f"{run.multipliers[k]:.2f} (>= {low:g})"
            for k, low in zip((0, 20, 40, 60), lowest, strict=True)
        )
        yield f"multiplier under {name} after 0, 20, 40, 60 updates (its speed limit): {shown}"


TABLES = {"stability": stability, "marvel": marvel_table}

if __name__ == "__main__":
    chosen, *more = sys.argv[1:] or ["all"]
    for label, printed in TABLES.items():
        if chosen in (label, "all"):
            for line in printed(*map(float, more)):
                print(line, flush=True)
            print()
