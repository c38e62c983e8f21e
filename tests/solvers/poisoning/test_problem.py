"""The record: what it accepts, what it refuses, and how it is identified."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import ModelError, Vector
from holdfast.solvers.poisoning import FlipProblem

F = Fraction


def test_sizes_and_weighted_changes():
    problem = FlipProblem.of([[1, 2], [0, F(1, 3)]], [1, F(1, 4)], [F(1, 2), 1], [2, F(1, 2)])
    assert (problem.n_features, problem.n_pairs, problem.rank) == (2, 2, 2)
    assert problem.displacement.fractions() == (-1, F(3, 8))
    assert problem.room_up.fractions() == (0, F(3, 8))
    assert problem.room_down.fractions() == (2, F(1, 8))
    assert problem.moment.fractions() == (-1 + F(3, 4), F(1, 8))
    assert problem.scores([3, 3]).fractions() == (3, 7)
    assert problem.columns() == [(1, 0), (2, F(1, 3))]
    assert problem.labels_after(problem.displacement) == problem.target


def test_pairs_of_weight_zero_do_not_count():
    problem = FlipProblem.of([[1, 1], [0, 1]], 1, 0, [1, 0])
    assert problem.rank == 1
    assert problem.labels_after(Vector.of([-1, 0])).fractions() == (0, 1)


def test_floats_are_what_they_are():
    problem = FlipProblem.of(np.array([[0.1, 2.0]]), 1.0, 0.5)
    assert problem.features[0][0] == F(0.1) != F(1, 10)
    assert problem.target.fractions() == (F(1, 2), F(1, 2))


def test_the_digest_is_of_the_numbers():
    one = FlipProblem.of([[1, 2]], 1, [0, F(1, 2)])
    same = FlipProblem.of([[1.0, "2"]], [1, 1], ["0", 0.5])
    assert one.digest == same.digest
    others = [one.with_target([0, 1]), one.with_features([[1, 3]])]
    others.append(FlipProblem.of([[1, 2]], 1, [0, F(1, 2)], [1, 2]))
    assert len({problem.digest for problem in (one, *others)}) == 4
    assert one.to_dict()["kind"] == "label-flips"


@pytest.mark.parametrize(("arguments", "message"), [
    (([[1, 2]], [1, F(5, 4)], 0), r"benign\[1\] \(pair 2\) is 5/4; a label lies in"),
    (([[1, 2]], 1, [-1, 0]), r"target\[0\] \(pair 1\) is -1; a label lies in"),
    (([[1, 2]], 1, [0, math.nan]), "target: entry 1 is nan"),
    (([[1, math.inf]], 1, 0), r"features\[0\]: entry 1 is inf"),
    (([[1, 2], [1]], 1, 0), r"features\[1\] has shape \(1,\) for 2 pairs"),
    (([[1, 2]], 1, [0, 0, 0]), r"target has shape \(3,\) for 2 pairs; give one number a pair"),
    (([[1, 2]], 1, 0, [1]), r"weights has shape \(1,\) for 2 pairs"),
    (([[1, 2]], 1, 0, [1, -1]), r"weights\[1\] \(pair 2\) is -1; a weight is finite and not"),
    (([], 1, 0), "there are no features"),
    (([[]], 1, 0), "there are no pairs"),
    (([3], 1, 0), r"features\[0\] is no sequence: 3"),
])  # fmt: skip
def test_bad_data(arguments, message):
    with pytest.raises(ModelError, match=message):
        FlipProblem.of(*arguments)
