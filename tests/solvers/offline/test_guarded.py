"""Plans behind a guardian: bounds by a second way, and the truth inside of them."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from holdfast.solvers import CMDP, ModelError, Policy, from_arrays, policy_return
from holdfast.solvers.models.arrays import assemble
from holdfast.solvers.offline import Obstacle, Plan, Range, learned, plan, simulate
from holdfast.solvers.offline.guarded import behaviour, enclosed_value, occupancy, often_taken
from holdfast.solvers.offline.guardians import counted, density, ellipsoid
from holdfast.solvers.offline.learned import OUTSIDE
from holdfast.solvers.offline.logs import Log, log_of_steps
from holdfast.solvers.offline.robust import least_value

HALF, ZERO, DELTA = Fraction(1, 2), Fraction(0), Fraction(1, 20)


def truth() -> CMDP:
    """Two states, three actions; the last pays most and costs most."""
    rows = [[[HALF, HALF], [Fraction(1, 4), Fraction(3, 4)], [0, 1]]] * 2
    return from_arrays(rows, [[0, 1, 2], [1, 2, 4]], [[[0, 1, 2], [0, 1, 4]]], [2],
                       discount=HALF, initial=[1, 0])  # fmt: skip


@pytest.fixture(scope="module")
def log() -> Log:
    """The last action is never taken in state 1."""
    acting = Policy.of(truth(), [HALF, Fraction(1, 4), Fraction(1, 4), HALF, HALF, 0])
    return simulate(truth(), acting, 40_000, length=40, seed=1)


RANGES = [Range.of(ZERO, Fraction(4), HALF)] * 2


def test_the_model_is_that_of_the_counts(log: Log) -> None:
    known = learned(log, counted(log, 30), RANGES, [Fraction(2)], DELTA, fixed=(0, 1))
    assert known.model.n_states == 3
    assert known.model.actions.tolist() == [OUTSIDE, 0, 1, 2, OUTSIDE, 0, 1, 0]
    assert known.model.reward_vector().fractions() == (0, 0, 1, 2, 0, 1, 2, 0)
    assert known.model.cost_vector(0).fractions() == (4, 0, 1, 2, 4, 0, 1, 0)
    counts = log.moves[(log.moves[:, 0] == 0) & (log.moves[:, 1] == 1)][:, 3].tolist()
    assert list(known.model.weighted_row(2).values()) in (counts, [c // np.gcd.reduce(counts)
                                                                   for c in counts])  # fmt: skip
    n = int(log.visits[0, 1])
    # 1/2 sqrt(2/n log(2^3 K N/delta)) with K = 6, N = 40,000
    size = np.sqrt(np.log(8 * 6 * 40_000 * 20) / (2 * n))
    assert 0 < known.variation[2] - Fraction(size) < Fraction(1, 10_000)
    assert [known.variation[k] for k in (0, 4, 7)] == [1, 1, 0]


@pytest.mark.parametrize("certified", [False, True])
def test_the_truth_keeps_what_is_certified(log: Log, certified: bool) -> None:
    known = learned(log, counted(log, 30), RANGES, [Fraction(2)], DELTA, fixed=(0, 1))
    found = plan(known, ZERO, certified=certified)
    assert isinstance(found, Plan)
    assert found.exits < Fraction(1, 10**6)
    acting = found.in_model(truth())
    assert acting.probabilities[5] == 0
    assert found.bound(0) <= policy_return(truth(), acting) <= 8
    assert policy_return(truth(), acting, ("cost", 0)) <= found.bound(1)
    assert found.bound(0) > found.values[0] - found.uniform_error(0)
    assert 0 < found.inside[0] < 1
    assert found.values[1] <= 2 + Fraction(1, 10**6)
    if certified:
        assert found.bound(1) <= 2


@pytest.mark.parametrize(("budget", "kept"), [(6, True), (4, False)])
def test_a_plan_is_cautious_where_one_is_certified(budget: int, kept: bool) -> None:
    """One pair, a cost of 1/2 for ever, 5 in all: penalised by 5 gamma u it would be above 6."""
    gamma = Fraction(9, 10)
    model = from_arrays([[[1]]], [[1]], [[[HALF]]], [6], discount=gamma)
    steps = simulate(model, Policy.uniform(model), 2_000, length=5, seed=0)
    ranges = [Range.of(ZERO, Fraction(1), gamma)] * 2
    known = learned(steps, counted(steps, 30), ranges, [Fraction(budget)], DELTA, fixed=(0, 1))
    found = plan(known, ZERO, certified=True)
    if kept:
        assert isinstance(found, Plan)
        assert found.kept
        assert abs(found.bound(1) - 5) < Fraction(1, 10**6)
    else:  # it cannot be less than 5 within the support, and by leaving it nothing is gained
        assert isinstance(found, Obstacle)
        assert abs(found.costs[0] - 5) < Fraction(1, 10**6)


def test_what_is_outside_is_taken_off_whole(log: Log) -> None:
    """Nothing is supported in state 1, which is entered with probability 1/2 at least."""
    supported = counted(log, 30)
    supported[1] = False
    known = learned(log, supported, RANGES, [Fraction(100)], DELTA, fixed=(0, 1))
    obstacle = plan(known, ZERO)
    assert isinstance(obstacle, Obstacle)
    # V_g = (p V_g + (1 - p))/2 with p = 1/2 the chance to stay in state 0, gives 1/3
    assert abs(float(obstacle.exits) - 1 / 3) < 0.01
    found = plan(known, obstacle.exits + Fraction(1, 100))
    assert isinstance(found, Plan)
    assert found.outside[1] > 0
    assert policy_return(truth(), found.in_model(truth()), ("cost", 0)) <= found.bound(1)


def test_rewards_that_vary_lower_the_bound(log: Log) -> None:
    model = truth()
    spread = simulate(model, Policy.uniform(model), 4_000, length=20, seed=2)
    spread.most[0, 0, 0] = 1.0  # a single visit that paid 1
    spread.sums[0, 0, 0] = 1.0
    with pytest.raises(ModelError, match=r"function of state and action.* state 0, action 0"):
        learned(spread, counted(spread, 30), RANGES, [Fraction(9)], DELTA, fixed=(0,))
    known = learned(spread, counted(spread, 30), RANGES, [Fraction(9)], DELTA, fixed=(1,))
    found = plan(known, ZERO)
    assert isinstance(found, Plan)
    assert found.means[0] > 0 == found.means[1]
    assert all(low <= 4 for low in known.bounds[0].fractions())


def test_a_rare_cost_may_not_have_come_yet() -> None:
    """One pair, 100 steps, a cost of 1 once in 100: most logs show it seldom, or never."""
    draws, ranges = np.random.default_rng(0), [Range.of(ZERO, Fraction(1), HALF)] * 2
    same = np.zeros(100, dtype=np.int64)
    wrong = never = 0
    for _ in range(100):
        gains = np.stack([same, draws.random(100) < 0.01], axis=1).astype(float)
        none = np.zeros(100, dtype=bool)
        one = log_of_steps("rare", same, same, same, gains, none, none, HALF)
        found = learned(one, counted(one, 1), ranges, [Fraction(9)], DELTA).bounds[1]
        never += not gains[:, 1].any()
        wrong += found.fractions()[1] < Fraction(1, 100)
    assert never > 20
    assert wrong <= 5
    # where it never came, sqrt(log(2 quantities K N 2/delta)/(2 N)) is left, with K = 1
    gains[:, 1] = 0
    one = log_of_steps("rare", same, same, same, gains, none, none, HALF)
    bound = learned(one, counted(one, 1), ranges, [Fraction(9)], DELTA).bounds[1].fractions()[1]
    assert float(bound) == pytest.approx(np.sqrt(np.log(2 * 100 * 40) / 200), abs=1e-4)


def test_the_adversary_is_the_worst_of_all_corners() -> None:
    """One choice a state: mass 1/4 moves between two successors; all corners by hand."""
    gamma, u = HALF, Fraction(1, 4)
    laws = [(Fraction(1, 2), Fraction(1, 2)), (Fraction(1, 3), Fraction(2, 3))]
    model = from_arrays([[list(law)] for law in laws], [[1], [0]], discount=gamma, initial=[1, 0])
    only = Policy.uniform(model)
    values = []
    for shifts in product((-u, u), repeat=2):
        rows = [[[law[0] + x, law[1] - x]] for law, x in zip(laws, shifts, strict=True)]
        moved = from_arrays(rows, [[1], [0]], discount=gamma, initial=[1, 0])
        values.append(policy_return(moved, only))
    found = least_value(model, only, model.reward_vector(), [u, u])
    assert 0 <= min(values) - found < Fraction(1, 10**9)
    with_floor = least_value(model, only, model.reward_vector(), [u, u], Fraction(-3))
    assert with_floor < found
    low, high = enclosed_value(model, only)
    assert low <= policy_return(model, only) <= high < low + Fraction(1, 10**9)


def test_occupancies_add_up() -> None:
    model = truth()
    rho = occupancy(model, Policy.uniform(model))
    assert rho.sum() == pytest.approx(2)


def test_the_behaviour_is_in_its_interval(log: Log) -> None:
    acting = Policy.of(truth(), [HALF, Fraction(1, 4), Fraction(1, 4), HALF, HALF, 0])
    (_, low, high), _ = behaviour(log, RANGES, DELTA)
    assert low < policy_return(truth(), acting) < high


def test_what_follows_a_cut_is_in_the_interval() -> None:
    """One state without an end: reward 1 and cost 1/2 for ever, cut after 5 steps."""
    gamma = Fraction(9, 10)
    model = from_arrays([[[1]]], [[1]], [[[HALF]]], [6], discount=gamma)
    log = simulate(model, Policy.uniform(model), 2_000, length=5, seed=0)
    assert np.allclose(log.rest, 0.9**5)
    ranges = [Range.of(ZERO, Fraction(1), gamma)] * 2
    (mean, low, high), (_, least, most) = behaviour(log, ranges, DELTA)
    assert mean == pytest.approx(10 * (1 - 0.9**5))
    assert low < mean
    # nothing is known but that the truth, 10 and 5, is within: 5 steps and then 0 to 10
    assert high == 10
    away = 10 * np.sqrt(np.log(4 * 20) / 800)
    assert least == pytest.approx(5 * (1 - 0.9**5) - away)
    assert most == pytest.approx(5 * (1 - 0.9**5) + 0.9**5 * 10 + away)
    narrow = [Range((ZERO, Fraction(1)), (ZERO, Fraction(1))), ranges[1]]
    with pytest.raises(ModelError, match=r"episode 0 has the discounted return 4.0951, outside of"):
        behaviour(log, narrow, DELTA)


def test_guardians_of_features(log: Log) -> None:
    """Pairs on a line at 0, 1, 2 and 10, 11, 12; most steps are at the first three."""
    places = np.array([[0.0, 1, 2], [10, 11, 12]])[:, :, None]
    inside = ellipsoid(log, places, 0.0)
    assert (inside == [[True, True, True], [True, True, False]]).all()  # 12 was never logged
    near = density(log, places, 0.05, 0.1)
    assert near[log.visits > 0].all()
    share = log.visits[0].sum() / log.steps
    fewer = ellipsoid(log, places, float(max(share, 1 - share)) + 0.001)
    assert fewer.sum() <= 3
    assert often_taken(log, Fraction(1, 20)).tolist() == (log.visits > 0).tolist()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda log: counted(log, 0), "least count is 0"),
        (lambda log: ellipsoid(log, np.zeros((2, 3, 1)), 1.0), "1.0 is left out"),
        (lambda log: ellipsoid(log, np.zeros((3, 2, 1)), 0.1), "features are of shape"),
        (lambda log: density(log, np.full((2, 3, 1), np.nan), 0.1, 1), "must be finite"),
        (lambda log: density(log, np.zeros((2, 3, 1)), 0.1, 0.0), "bandwidth is 0"),
        (lambda log: density(log, np.zeros((2, 3, 1)), 0.1, np.inf), "bandwidth is inf"),
        (lambda log: learned(log, log.visits > 0, RANGES, [2], ZERO), "delta is 0"),
        (lambda log: learned(log, log.visits > 0, RANGES, [], DELTA), "1 costs, and there are 0"),
        (lambda log: learned(log, log.visits > 0, RANGES, [2], DELTA, 1), "1 states are said"),
        (
            lambda log: learned(log, log.visits > 0, [Range.of(ZERO, ZERO, HALF)] * 2, [2], DELTA),
            "the reward of .* is from 0 to 2.*widen it",
        ),
    ],
)
def test_what_cannot_be_asked(log: Log, call, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        call(log)


def test_models_are_assembled_as_they_are_read() -> None:
    """`assemble` keeps the order of choices that `learned` relies on."""
    model = assemble(counts=[2, 1], rows=[{0: 1}, {1: 3}, {1: 1}], reward=[ZERO] * 3,
                     discount=HALF, initial=[1, 0], actions=[OUTSIDE, 4, 0])  # fmt: skip
    assert model.actions.tolist() == [OUTSIDE, 4, 0]
