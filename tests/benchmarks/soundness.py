"""Enclosures of large random models beside another version's and beside extended precision.

``python tests/benchmarks/soundness.py COMMIT [MODELS]``: holdfast at hand and at COMMIT enclose the
same models, in processes of their own.  Here the mixtures that they found are evaluated again, and
the best policy at their multipliers is found, by iterative refinement with residuals in extended
precision, which bound the error.  Outside is: a mixture that earns less than the lower bound, or
costs more than its budget; an optimum at the multipliers above the upper bound; two enclosures
that do not meet.  The control: bounds moved inwards by two widths are found outside, every one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track
from scipy.sparse import csr_array, identity
from scipy.sparse.linalg import bicgstab
from trees import ROOT, extracted

_BATCH = 10
_REFINEMENTS = 8
"""Each gains about ten digits of a solution in doubles; more change nothing."""
_TIES = 1e-13
"""Gains below do not change a policy, which would go on for ever by rounding."""
Extended = np.longdouble


def bounds(folder: Path) -> None:
    """What holdfast proves of each model in the folder: a line of JSON and the choices."""
    from holdfast.solvers import enclose, load

    for path in sorted(folder.glob("*.npz"), key=lambda path: int(path.stem)):
        found = enclose(load(path), method="scale")
        numbers = {
            "lower": str(found.lower),
            "upper": str(found.upper),
            "multipliers": list(map(str, found.multipliers)),
            "weights": [str(one.weight) for one in found.components],
            "choices": [np.asarray(one.choices).tolist() for one in found.components],
        }
        print(json.dumps(numbers))


class Again:
    """A model in extended precision, from the integers of its record."""

    def __init__(self, model: Any) -> None:
        self.start, self.indptr, self.successors = (
            model.choice_start, model.indptr, model.successors.astype(np.int64),
        )  # fmt: skip
        lengths = np.diff(model.indptr)
        self.weights = model.weights.astype(Extended) / np.repeat(model.denominators, lengths)
        self.functions = np.vstack([
            model.reward.astype(Extended) / Extended(model.reward_denominator),
            *(c.astype(Extended) / Extended(d)
              for c, d in zip(model.costs, model.cost_denominators, strict=True)),
        ])  # fmt: skip
        self.budgets = np.array([_extended(one) for one in model.budgets])
        self.discount = _extended(model.discount)
        self.initial = model.initial.astype(Extended) / Extended(model.initial_denominator)

    def values(self, choices: Any, own: Any) -> tuple[Any, Extended]:
        """Values of a policy for payoffs ``own`` of its choices, and a bound on their errors."""
        rows = [np.arange(*self.indptr[[k, k + 1]]) for k in choices]
        lengths = np.array(list(map(len, rows)))
        flat, starts = np.concatenate(rows), np.concatenate([[0], np.cumsum(lengths)])
        weights, successors = self.weights[flat], self.successors[flat]
        size = len(choices)
        chain = csr_array((weights.astype(float), successors, starts), shape=(size, size))
        system = identity(size, format="csr") - float(self.discount) * chain
        h = np.zeros(size, Extended)
        for _ in range(_REFINEMENTS):
            ahead = np.add.reduceat(weights * h[successors], starts[:-1])
            residual = own + self.discount * ahead - h
            if np.abs(residual).max() <= 4 * np.finfo(Extended).eps * np.abs(h).max():
                break
            h += bicgstab(system, residual.astype(float), rtol=1e-11, atol=0)[0]
        rounding = (lengths.max() + 4) * np.finfo(Extended).eps * (np.abs(h).max() + 1)
        return h, (np.abs(residual).max() + rounding) / (1 - self.discount)

    def returns(self, choices: Any) -> tuple[Any, Extended]:
        """(reward, costs) of a policy, and a bound on their errors."""
        found = [self.values(choices, f[choices]) for f in self.functions]
        return np.array([self.initial @ h for h, _ in found]), max(error for _, error in found)

    def best(self, multipliers: Any, choices: Any) -> tuple[Extended, Extended]:
        """max_pi J_r - lambda (J_c - d) by policy iteration, at least, and a bound on its error."""
        payoffs = self.functions[0] - multipliers @ self.functions[1:]
        owners = np.repeat(np.arange(len(self.initial)), np.diff(self.start))
        while True:
            h, error = self.values(choices, payoffs[choices])
            ahead = np.add.reduceat(self.weights * h[self.successors], self.indptr[:-1])
            gains = payoffs + self.discount * ahead - h[owners]
            order = np.lexsort((-gains, owners))
            better = order[self.start[:-1]]
            if gains[better].max() <= _TIES:
                return self.initial @ h + multipliers @ self.budgets, error
            choices = np.where(gains[better] > _TIES, better, choices)


@dataclass(frozen=True)
class Truth:
    """Returns (m + 1) of a mixture, the optimum at its multipliers, the error of either."""

    returns: Any
    error: Extended
    optimum: Extended
    more: Extended

    @classmethod
    def of(cls, again: Again, found: dict[str, Any]) -> Truth:
        """Evaluates the policies of an answer."""
        chosen = [np.array(one) for one in found["choices"]]
        ends = [again.returns(one) for one in chosen]
        weights, multipliers = (
            np.array([_extended(Fraction(one)) for one in found[name]])
            for name in ("weights", "multipliers")
        )
        mixed = weights @ np.array([values for values, _ in ends])
        return cls(mixed, max(error for _, error in ends), *again.best(multipliers, chosen[0]))


def outside(truth: Truth, budgets: Any, found: dict[str, Any]) -> list[str]:
    """What of an answer contradicts what extended precision gives."""
    lower, upper = (_extended(Fraction(found[name])) for name in ("lower", "upper"))
    wrong = {
        "the mixture earns less than the lower bound": truth.returns[0] + truth.error < lower,
        "the mixture costs more than its budget": any(truth.returns[1:] - truth.error > budgets),
        "the optimum at the multipliers is above the upper bound": truth.optimum - truth.more
        > upper,
    }
    return [what for what, is_so in wrong.items() if is_so]


def moved(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The answer with its lower bound two widths higher, and with its upper one as much lower."""
    lower, upper = Fraction(found["lower"]), Fraction(found["upper"])
    step = 2 * max(upper - lower, Fraction(1e-9))
    return [found | {"lower": str(lower + step)}, found | {"upper": str(upper - step)}]


def _extended(number: Fraction) -> Extended:
    """Rounded once: the quotient of its two halves, each of which is a double."""
    high = float(number)
    return Extended(high) + Extended(float(number - Fraction(high)))


def models(first: int, last: int) -> Iterator[Any]:
    """Three families in turn; 1,000 to 10,000 states, one to three costs, discounts .9 to .999."""
    from tests.zoo.large import FAMILIES

    for seed in range(first, last):
        source = np.random.default_rng(seed)
        draw = list(FAMILIES.values())[seed % len(FAMILIES)]
        constraints = int(source.integers(1, 4))
        discounts = ["0.9", "0.95", "0.99", "0.999"][: 4 if constraints == 1 else 3]
        yield draw(
            int(1000 * 10 ** source.random()), seed=seed, constraints=constraints,
            discount=Fraction(str(source.choice(discounts))),
            share=Fraction(int(source.integers(1, 8)), 8),
        )  # fmt: skip


def batch(roots: dict[str, Path], first: int, last: int) -> tuple[list[tuple[Any, ...]], int]:
    """What is outside, as (seed, version, what), and how many answers pass the control."""
    from holdfast.solvers import save

    faults: list[tuple[Any, ...]] = []
    caught = 0
    with tempfile.TemporaryDirectory() as place:
        drawn = dict(zip(range(first, last), models(first, last), strict=True))
        for seed, model in drawn.items():
            save(model, Path(place, f"{seed}.npz"))
        answers = {name: _answers(Path(place), root) for name, root in roots.items()}
    for number, (seed, model) in enumerate(drawn.items()):
        again, ends = Again(model), []
        for name in roots:
            found = answers[name][number]
            truth = Truth.of(again, found)
            faults += [(seed, name, what) for what in outside(truth, again.budgets, found)]
            ends.append((Fraction(found["lower"]), Fraction(found["upper"])))
            caught += all(outside(truth, again.budgets, one) for one in moved(found))
        if max(low for low, _ in ends) > min(high for _, high in ends):
            faults.append((seed, "the two enclosures do not meet"))
    return faults, caught


def main(commit: str, count: int) -> int:
    """Prints what was found outside; exit code 1 if anything was, or if the control fails."""
    faults: list[tuple[Any, ...]] = []
    caught = 0
    with tempfile.TemporaryDirectory() as place, ProcessPoolExecutor() as pool:
        roots = {"now": ROOT, commit: extracted(commit, Path(place, "tree"))}
        ends = [(first, min(first + _BATCH, count)) for first in range(0, count, _BATCH)]
        futures = [pool.submit(batch, roots, *end) for end in ends]
        for future in track(as_completed(futures), "ten models each", total=len(futures)):
            found, passed = future.result()
            faults, caught = faults + found, caught + passed
    print(f"{count} models, enclosed by holdfast at hand and at {commit}: {len(faults)} outside")
    print(f"control: bounds moved inwards are found outside in {caught} of {2 * count} answers")
    for fault in faults[:20]:
        print(*fault)
    return int(bool(faults) or caught < 2 * count)


def _answers(folder: Path, root: Path) -> list[dict[str, Any]]:
    command = [sys.executable, __file__, "--bounds", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return list(map(json.loads, done.stdout.splitlines()))


if __name__ == "__main__":
    if sys.argv[1] == "--bounds":
        bounds(Path(sys.argv[2]))
    else:
        sys.path.append(str(ROOT))  # for the zoo
        sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 500))
