"""Claims over a family of training runs, with a stand-in for the trainer that keeps its runs.

A run is a file in the folder of runs; ``trainings`` beside them has a line for each training.  What
a run "learns" is the number that was drawn.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Standing, Theorem
from holdfast.verify.binding.claims import NamedMutant, claim
from holdfast.verify.binding.draws import Draw, philox
from holdfast.verify.binding.family import Family
from holdfast.verify.binding.values import Count, Mean, Values

SOURCE = Source("the tests", "", Provenance.DERIVED)
EPISODES = 2000

risk = Quantity("risk", "probability that an episode is unsafe", Domain.PROBABILITY)
value = Quantity("value", "mean return", Domain.NONNEGATIVE)
bound = Quantity("bound", "what was learnt", Domain.NONNEGATIVE)


@dataclass(frozen=True)
class Training:
    """What a run is named by."""

    seed: int
    strength: int

    def obtained(self) -> Fraction:
        """What the run ends with; it is trained if it was not."""
        folder = Path(os.environ["HOLDFAST_RUNS"])
        folder.mkdir(parents=True, exist_ok=True)
        run = folder / f"run-{self.seed}-{self.strength}"
        with suppress(FileExistsError):  # of several processes one trains it
            run.touch(exist_ok=False)
            with (folder / "trainings").open("a") as lines:
                lines.write(f"{run.name}\n")
        return Fraction(self.strength, 20)


def training(draw: Draw) -> Training:
    return Training(draw.integer(0, 10**6), draw.integer(1, 9))


runs = Family("training runs of the tests", training, trained=True)


@claim(
    Theorem("trained/risk", "What is sampled is what was learnt", Le(risk, bound), SOURCE),
    over=runs,
    tag="neural",
    mutants=(NamedMutant("halved", Le(risk, bound / 2), "half of it is enough"),),
)
def sampled_risk(of: Training) -> Iterator[Values]:
    learnt = of.obtained()
    unsafe = int(philox("fresh", of.seed).binomial(EPISODES, float(learnt)))
    yield {risk: Count(unsafe, EPISODES), bound: learnt + Fraction(1, 8)}
    yield {risk: learnt, bound: learnt}


@claim(
    Theorem(
        "trained/value",
        "Twice what was learnt, which is false",
        Le(2 * value, bound),
        SOURCE,
        standing=Standing.FALSE_UNPRINTED,
    ),
    over=runs,
    tag="neural",
)
def sampled_value(of: Training) -> Iterator[Values]:
    learnt = of.obtained()
    returns = philox("returns", of.seed).binomial(1, float(learnt), EPISODES)
    total = Fraction(int(returns.sum()))
    yield {value: Mean(EPISODES, total, total, Fraction(0), Fraction(1)), bound: learnt}


@claim(
    Theorem("trained/wrong", "Less than was learnt, which nobody knows to be false",
            Le(bound, risk / 2), SOURCE),
    over=runs,
    tag="neural",
)  # fmt: skip
def wrong(of: Training) -> Iterator[Values]:
    learnt = of.obtained()
    unsafe = int(philox("fresh", of.seed).binomial(EPISODES, float(learnt)))
    yield {risk: Count(unsafe, EPISODES), bound: learnt + Fraction(1, 8)}


@claim(
    Theorem("trained/exact", "Beside them one that trains nothing", Le(risk, bound), SOURCE),
    over=Family("numbers", lambda draw: Fraction(draw.integer(1, 9), 20)),
)
def exact(number: Fraction) -> Iterator[Values]:
    yield {risk: number, bound: number}
