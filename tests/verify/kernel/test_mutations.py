"""Certificates with random changes: what is accepted must be true, whatever was changed.

A program that shares nothing with the kernel (`judge.py`) decides whether the conclusion of each
accepted mutant is true. HOLDFAST_MUTANTS says how many are made (20,000 unless it is set, over two
processes), HOLDFAST_MUTANTS_SEED which: `HOLDFAST_MUTANTS=100000 pytest -m slow -s
tests/verify/kernel/test_mutations.py`.
"""

import copy
import gzip
import importlib.util
import json
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.zoo.memory import peak_memory

from holdfast.verify.kernel import check

Document = dict[str, Any]
MUTANTS = int(os.environ.get("HOLDFAST_MUTANTS", "20000"))
SEED = int(os.environ.get("HOLDFAST_MUTANTS_SEED", "0"))
SECONDS, MEGABYTES = 2.0, 200.0


def neighbour(name: str) -> ModuleType:
    """A module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


judge = neighbour("judge")

# Two states, x and U (unsafe): stay at x for 0, or try for 1 and be in U with probability 1/2.
# Trying half the time uses up a level of 1/4: 1/2 is earned.
WINDOW: Document = {
    "kind": "joint-chance",
    "model": {
        "kind": "cmdp",
        "n_states": 2,
        "choices": [[0, 0], [0, 1], [1, 0]],
        "transitions": [[[0, 1]], [[0, 1], [1, 1]], [[1, 1]]],
        "discount": "1/2",
        "reward": ["0", "1", "0"],
        "costs": [],
        "budgets": [],
        "initial": ["1", "0"],
    },
    "unsafe": [1],
    "horizon": 1,
    "level": "1/4",
    "charge": "0",
    "terminal": ["0", "0"],
    "counts_start": False,
    "reward_after_violation": True,
}
FORMAT = {"format": "holdfast-certificate/1"}
WINDOWS: list[Document] = [
    {
        **FORMAT,
        "kind": "cmdp-optimum",
        "model": WINDOW,
        "occupancy": ["1/2", "1/2", "0", "0", "0", "0", "1"],
        "values": ["0", "0", "1", "0", "0"],
        "multipliers": ["2"],
        "value": "1/2",
    },
    {  # every level below 0 is beyond reach: -1/4 < 0
        **FORMAT,
        "kind": "cmdp-infeasible",
        "model": {**WINDOW, "level": "-1/4"},
        "values": ["0", "0", "0", "0", "0"],
        "multipliers": ["1"],
    },
    {  # always trying earns 1; in U nothing is chosen, but a policy says so too
        **FORMAT,
        "kind": "policy-value",
        "model": {**WINDOW, "charge": "1/2"},
        "policy": ["0", "1", "1", "0", "1", "1", "1"],
        "values": ["1", "0", "1", "0", "0"],
        "function": "reward",
        "value": "1",
    },
]


def seeds() -> list[Document]:
    """True certificates of every kind."""
    path = Path(__file__).parents[2] / "field" / "documents" / "true.json.gz"
    kept = json.loads(gzip.decompress(path.read_bytes()))
    found = [*neighbour("conftest").DOCUMENTS.values(), *WINDOWS, *kept]
    return [document for document in found if check(document).accepted]


# -- changes
Place = tuple[Any, Any]  # a list or object, and an index or key in it


def places(node: Any) -> Iterator[Place]:
    """All places of a document but those in notes."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        if key != "notes":
            yield node, key
            if isinstance(node[key], dict | list):
                yield from places(node[key])


GARBAGE: list[Any] = [
    None, True, False, 0, 1, -1, 2, 10**30, 0.5, 1e308, "", "0", "1", "-1", "1/0", "0/1", "-0",
    "1/-1", " 1", "1 ", "+1", "1_0", "1e3", "0.5", "\u0661", "0x", "0x1/0x0", "-0x1", "nan", "inf",
    "\ud800", [], {}, [[]], ["symbol", "x"], "reward", ["cost", 0], ["cost", -1], "<=", "=", ">=",
    "<", "max",
]  # fmt: skip


def shifted(value: Any, random: random.Random) -> Any:
    """A number a little or a lot off; what is no number becomes garbage."""
    try:
        number = judge.number(value) if isinstance(value, str) else judge.number(str(value))
    except (ValueError, TypeError, AttributeError, ZeroDivisionError):
        return copy.deepcopy(random.choice(GARBAGE))
    one = judge.Fraction(1)
    steps = [
        one,
        -one,
        one / 10**30,
        -one / 10**30,
        one / 7,
        -number,
        number,
        -2 * number,
        10**6 * one,
    ]
    found = number + random.choice(steps)
    return str(found) if isinstance(value, str) else int(found)


def alter(document: Document, random: random.Random) -> None:
    """One change, in a place drawn at random."""
    spots = list(places(document))
    node, key = random.choice(spots)
    other, twin = random.choice(spots)
    change = random.randrange(8)
    if change < 3:
        node[key] = shifted(node[key], random)
    elif change == 3:
        node[key] = copy.deepcopy(random.choice(GARBAGE))
    elif change == 4:
        node[key] = copy.deepcopy(other[twin])
    elif change == 5:
        del node[key]
    elif change == 6 and isinstance(node, list):
        node.insert(key, copy.deepcopy(node[random.randrange(len(node))]))
    else:
        index = random.choice(range(len(node)) if isinstance(node, list) else list(node))
        node[key], node[index] = node[index], node[key]


def mutant(originals: list[Document], random: random.Random) -> Document:
    """A true certificate with one to three changes."""
    document = copy.deepcopy(random.choice(originals))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        if document:
            alter(document, random)
    return document


@dataclass
class Tally:
    """Of some mutants: how many of each kind were made and accepted, what was false, the cost."""

    made: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)
    seconds: float = 0.0
    megabytes: float = 0.0

    def add(self, other: "Tally") -> None:
        self.made += other.made
        self.accepted += other.accepted
        self.false += other.false
        self.seconds = max(self.seconds, other.seconds)
        self.megabytes = max(self.megabytes, other.megabytes)


def is_true(document: Document) -> bool:
    """What the judge says; a document that makes no sense to it proves nothing."""
    try:
        return bool(judge.holds(document))
    except Exception:
        return False


def examine(stream: str, count: int, accepts: Callable[[Document], bool] | None = None) -> Tally:
    """So many mutants of one stream of random numbers."""
    draw, originals, tally = random.Random(stream), seeds(), Tally()
    for _ in range(count):
        document = mutant(originals, draw)
        before = time.process_time()
        accepted = accepts(document) if accepts else check(document).accepted
        tally.seconds = max(tally.seconds, time.process_time() - before)
        kind = str(document.get("kind"))[:40]
        tally.made[kind] += 1
        if accepted:
            tally.accepted[kind] += 1
            if not is_true(document):
                tally.false.append(json.dumps(document))
    tally.megabytes = peak_memory()
    return tally


def test_the_judge_agrees_with_what_is_true() -> None:
    assert len(seeds()) == 9 + len(WINDOWS) + 56, "each certificate above and 56 of the file"
    for document in seeds():
        assert judge.holds(document), document


def test_the_judge_finds_what_is_false() -> None:
    """Each kind has a mutant that a checker which accepts all would let through."""
    found = examine("a checker that accepts everything", 300, lambda document: True)
    kinds = {str(json.loads(text).get("kind")) for text in found.false}
    assert {document["kind"] for document in seeds()} <= kinds


@pytest.mark.slow
def test_no_mutant_is_accepted_that_is_false() -> None:
    share, total = 1000, Tally()
    streams = [(f"{SEED}/{i}", min(share, MUTANTS - i)) for i in range(0, MUTANTS, share)]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        for tally in pool.map(examine, *zip(*streams, strict=True)):
            total.add(tally)
    made, accepted = total.made.total(), total.accepted.total()
    print(f"\n{made} mutants, {accepted} accepted, {len(total.false)} of them false")
    print(f"slowest check {total.seconds:.3f} s, peak of memory {total.megabytes:.0f} MB")
    for kind, count in total.accepted.most_common():
        print(f"  {kind}: {total.made[kind]} made, {count} accepted")
    assert made == MUTANTS
    assert not total.false, "\n".join(total.false)
    assert total.seconds < SECONDS
    assert total.megabytes < MEGABYTES
    assert all(total.accepted[document["kind"]] for document in seeds())
