"""Debiasing: by hand, against enumerated sequences and a least-squares fit, and what is refused."""

from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers.alignment import debiasing as solver
from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient.balls import elementwise

RNG = np.random.default_rng(3)
H, V = 5, 4
REFERENCE = RNG.dirichlet(np.ones(V), H)
ADDED = RNG.normal(size=(H, V))
WEIGHTS = RNG.dirichlet(np.ones(H))


def normalised(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum(axis=-1, keepdims=True)


TUNED = normalised(REFERENCE * np.exp(ADDED))
RATIOS = np.log(TUNED) - np.log(REFERENCE)


def test_what_depends_on_the_context_is_kept() -> None:
    """s by a least-squares fit of main effects, which shares no step with the solver."""
    columns = [np.repeat(np.eye(H)[h], V) for h in range(H)]
    columns += [np.tile(np.eye(V)[v], H) for v in range(V)]
    root = np.sqrt(np.repeat(WEIGHTS, V))
    design = np.array(columns).T
    fit = np.linalg.lstsq(design * root[:, None], RATIOS.ravel() * root, rcond=None)[0]
    rest = (RATIOS.ravel() - design @ fit).reshape(H, V)
    assert np.allclose(solver.decompose(WEIGHTS, RATIOS)[2], rest)
    found = solver.debiased(TUNED, solver.bias(WEIGHTS, RATIOS))
    assert np.allclose(found, normalised(REFERENCE * np.exp(rest)))
    assert not np.allclose(found, TUNED)


def test_rationals_decompose_exactly() -> None:
    weights = np.array([Fraction(1, 3), Fraction(2, 3)])
    ratios = np.array([[Fraction(3), Fraction(0)], [Fraction(0), Fraction(0)]])
    contexts, tokens, rest = solver.decompose(weights, ratios)
    assert contexts.tolist() == [Fraction(3, 2), 0]
    assert tokens.tolist() == [HALF := Fraction(1, 2), -HALF]
    assert rest.tolist() == [[1, -1], [-HALF, HALF]]
    assert solver.span(ratios) == 3


def test_balls_hold_what_floats_give() -> None:
    exact = elementwise(lambda one: Fraction(float(one)), TUNED)
    exact = exact / exact.sum(axis=1, keepdims=True)
    shift = np.array([Fraction(k, 2) for k in range(V)])
    balls, floats = solver.debiased(exact, shift), solver.debiased(TUNED, shift.astype(float))
    assert np.allclose(elementwise(float, balls).astype(float), floats, rtol=1e-13)


def test_what_is_impossible_stays_so_and_large_shifts_do_not_overflow() -> None:
    found = solver.debiased(np.array([[0.0, 0.5, 0.5]]), np.array([-1e4, 1e4, 1e4 + np.log(3)]))
    assert np.allclose(found, [[0, 0.75, 0.25]])
    assert (solver.debiased(np.ones((2, 1)), np.array([7.0])) == 1).all()


def test_estimates_context_by_context_are_the_mean() -> None:
    estimate = solver.BiasEstimate(1, V)
    for tuned, reference in zip(TUNED, REFERENCE, strict=True):
        estimate.add(np.log(tuned)[None] + RNG.normal(), np.log(reference)[None] - 2)
    assert estimate.contexts == H
    assert np.allclose(estimate.bias()[0], RATIOS.mean(axis=0))


def test_a_masked_token_has_no_bias() -> None:
    estimate = solver.BiasEstimate(1, 3, masked=[2])
    estimate.add([[np.log(3), 0.0, -np.inf]], [[0.0, 0.0, -np.inf]])
    assert np.allclose(estimate.bias(), [[np.log(1.5), np.log(0.5), 0]])


def test_only_the_first_positions_are_debiased() -> None:
    shifts = np.array([[1.0, 0.0], [0.0, 2.0]])
    logits = np.zeros(2)
    assert solver.apply(logits, 0, shifts).tolist() == [-1, 0]
    assert solver.apply(logits, 1, shifts).tolist() == [0, -2]
    assert solver.apply(logits, 2, shifts) is logits


def test_accuracy_covers_as_often_as_it_says() -> None:
    """Fair coins are off by Hoeffding's t in at most 10 % of samples, here of 2,000."""
    samples = RNG.integers(0, 2, (2000, 50, 3)).mean(axis=1)
    far = np.abs(samples - 0.5).max(axis=1)
    radius = solver.accuracy(1.0, 3, 50, 0.1)
    assert radius == pytest.approx((np.log(60) / 100) ** 0.5)
    assert (far > radius).mean() < 0.1 < (far > radius / 2).mean()
    assert solver.accuracy(0.0, 3, 50, 0.1) == 0


NAN, TWO = float("nan"), np.full(2, 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: solver.bias(WEIGHTS, RATIOS[:2]), r"weights has shape \(5,\); it needs \(2,\)"),
        (lambda: solver.bias(TWO, np.array([[0, 1], [NAN, 0]])), r"ratios\[1, 0\] is nan"),
        (lambda: solver.bias(2 * TWO, np.zeros((2, 2))), "weights has sum 2"),
        (lambda: solver.decompose(TWO, np.zeros((2, 0))), "shape"),
        (lambda: solver.debiased(TUNED, np.zeros(3)), r"shift has shape \(3,\)"),
        (lambda: solver.debiased(TUNED, np.array([0, 0, 0, NAN])), "finite"),
        (lambda: solver.normalise(np.array([-np.inf, -np.inf])), "no token"),
        (lambda: solver.BiasEstimate(0, 3), "positions is 0"),
        (lambda: solver.BiasEstimate(1, 3, masked=[3]), r"masked is \[3\]"),
        (lambda: solver.BiasEstimate(1, 2, masked=[0, 1]), "not all of them"),
        (lambda: solver.BiasEstimate(1, 2).bias(), "no context"),
        (lambda: solver.BiasEstimate(1, 2).add([[0.0]], [[0.0, 0.0]]), "tuned has shape"),
        (
            lambda: solver.BiasEstimate(1, 2).add([[0.0, NAN]], [[0.0, 0.0]]),
            r"tuned\[0, 1\] is nan",
        ),
        (lambda: solver.apply(TWO, -1, TWO[None]), "before the response"),
        (lambda: solver.apply(TWO, 0.5, TWO[None]), "position is 0.5"),
        (lambda: solver.apply(TWO, 0, np.zeros((1, 3))), r"shifts \(1, 3\)"),
        (lambda: solver.accuracy(1.0, 3, 50, 1.0), "failure is 1.0"),
        (lambda: solver.accuracy(1.0, 3, 0, 0.1), "contexts is 0"),
        (lambda: solver.accuracy(1.0, 0, 5, 0.1), "tokens is 0"),
        (lambda: solver.accuracy(NAN, 3, 5, 0.1), "spread is nan"),
    ],
)
def test_what_is_refused(call, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        call()
