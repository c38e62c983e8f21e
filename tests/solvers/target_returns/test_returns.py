"""Conditioned policies against enumeration, by hand, and with data that cannot be meant."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from holdfast.solvers.errors import ModelError
from holdfast.solvers.target_returns.returns import (
    return_conditioned,
    return_law,
    return_process,
)
from holdfast.solvers.target_returns.returns.conditioning import divergence_terms, occupancy
from holdfast.solvers.target_returns.returns.density import RewardLattice, densities
from holdfast.solvers.target_returns.returns.fluctuation import BinomialHead
from holdfast.solvers.target_returns.returns.process import ReturnProcess, Units
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.target_returns.families.returns import blurred, on_lattice, processes, target

HALF = Fraction(1, 2)

History = tuple[tuple[int, int, Units], ...]
"""(state, action, rewards) of the steps so far."""
Acting = Callable[[History, int], Sequence[Fraction]]


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A whole episode, its probability and its return in units."""

    steps: History
    probability: Fraction
    total: Units


def trajectories(process: ReturnProcess, acting: Acting) -> list[Trajectory]:
    """All episodes of positive probability under a policy of histories."""
    found: list[Trajectory] = []

    def extend(steps: History, state: int, chance: Fraction) -> None:
        if len(steps) == process.horizon:
            coordinates = zip(*(r for _, _, r in steps), strict=True)
            found.append(Trajectory(steps, chance, tuple(map(sum, coordinates))))
            return
        for a, p in enumerate(acting(steps, state)):
            for weight, rewards, after in process.outcomes[state][a] if p else ():
                extend((*steps, (state, a, rewards)), after, chance * p * weight / process.chance)

    extend((), process.start, Fraction(1))
    return found


def behaviour(process: ReturnProcess) -> Acting:
    """The behaviour policy."""
    return lambda steps, state: [
        Fraction(w, process.spread) for w in process.behaviour[len(steps)][state]
    ]


def conditioned(process: ReturnProcess, target: Units) -> Acting:
    """Pr(action | history, return = target) by Bayes' rule over all episodes; beta where the
    history and the target exclude each other."""
    episodes = trajectories(process, behaviour(process))

    def acting(steps: History, state: int) -> Sequence[Fraction]:
        t = len(steps)
        joint = [Fraction(0)] * len(process.outcomes[state])
        for one in episodes:
            if one.steps[:t] == steps and one.steps[t][0] == state and one.total == target:
                joint[one.steps[t][1]] += one.probability
        total = sum(joint)
        return [p / total for p in joint] if total else behaviour(process)(steps, state)

    return acting


def small(index: int):
    """A process of one to three steps, with noise, and a return that it can have."""
    family = processes(horizon=(1, 3)).along(target, blurred)
    return family.draw(PhiloxDraw("returns", index))


@pytest.mark.parametrize("index", range(25))
def test_dynamic_programming_agrees_with_enumeration(index: int) -> None:
    process, asked, _ = small(index)
    law: Counter = Counter()
    for one in trajectories(process, behaviour(process)):
        law[tuple(Fraction(x, process.scale) for x in one.total)] += one.probability
    assert return_law(process) == law
    policy = return_conditioned(process, asked)
    assert policy.coverage == law[asked]
    acting = conditioned(process, policy.target)
    episodes = trajectories(process, acting)
    for one in episodes:
        for t, (state, _, _) in enumerate(one.steps):
            past = [sum(r[i] for _, _, r in one.steps[:t]) for i in range(len(asked))]
            remaining = tuple(z - x for z, x in zip(policy.target, past, strict=True))
            assert list(policy(t, state, remaining)) == list(acting(one.steps[:t], state))
    for i, found in enumerate(policy.expected_return):
        mean = sum(one.probability * one.total[i] for one in episodes)
        assert found == mean / process.scale


@pytest.mark.parametrize("index", range(10))
def test_the_divergence_of_steps_is_that_of_episodes(index: int) -> None:
    """Chain rule: sum_t E KL = KL of the laws of whole episodes, by enumeration."""
    process, asked, model = small(index)
    policy = return_conditioned(process, asked)
    acting = model.of(policy)
    terms = divergence_terms(process, policy, acting, policy.target)
    found = sum(float(weight) * math.log(ratio) for ratio, weight in terms.items())
    total = 0.0
    for one in trajectories(process, conditioned(process, policy.target)):
        remaining, ratio = policy.target, Fraction(1)
        for t, (state, action, rewards) in enumerate(one.steps):
            ratio *= policy(t, state, remaining)[action] / acting(t, state, remaining)[action]
            remaining = tuple(z - r for z, r in zip(remaining, rewards, strict=True))
        total += float(one.probability) * math.log(ratio)
    assert found == pytest.approx(total, abs=1e-12)


def test_what_remains_at_the_end_is_what_no_step_has_paid() -> None:
    """The expected return, once more as the sum of what each step is expected to pay."""
    process, asked, _ = small(3)
    policy = return_conditioned(process, asked)
    laws = occupancy(process, policy, policy.target)
    assert len(laws) == process.horizon + 1
    assert all(sum(law.values()) == 1 for law in laws)
    paid = [Fraction(0)] * len(asked)
    for t, law in enumerate(laws[:-1]):
        for (s, c), mass in law.items():
            for p, row in zip(policy(t, s, c), process.outcomes[s], strict=True):
                for weight, rewards, _ in row:
                    for i, reward in enumerate(rewards):
                        paid[i] += mass * p * Fraction(weight * reward, process.chance)
    assert tuple(x / process.scale for x in paid) == policy.expected_return


def sure(reward, state: int = 0):
    return [(1, [reward], state)]


def test_where_the_target_is_out_of_reach_the_behaviour_policy_acts() -> None:
    """A first reward of 1 by luck leaves -1/2 of the target 1/2: nothing can be done."""
    first = [(Fraction(9, 10), [0], 1), (Fraction(1, 10), [1], 1)]
    process = return_process([[first], [sure(HALF, 1), sure(0, 1)]], [[[1], [HALF, HALF]]] * 2)
    policy = return_conditioned(process, [HALF])
    assert policy(1, 1, (1,)) == (1, 0)
    assert policy(1, 1, (-1,)) == (HALF, HALF)
    # 9/10 of 1/2, and 1/10 of 1 + 1/4
    assert policy.expected_return == (Fraction(9, 20) + Fraction(1, 8),)


def test_actions_that_the_behaviour_policy_never_takes_stay_untaken() -> None:
    process = return_process([[sure(1), sure(1), sure(0)]], [[[0, HALF, HALF]]])
    assert return_conditioned(process, ["1"])(0, 0, (1,)) == (0, 1, 0)


def test_one_step_one_action_without_noise() -> None:
    process = return_process([[sure("1/3")]], [[[1]]])
    assert process.noise == 0
    assert return_law(process) == {(Fraction(1, 3),): 1}
    assert return_conditioned(process, ["1/3"]).expected_return == (Fraction(1, 3),)


def test_an_outcome_that_is_listed_twice_is_one() -> None:
    process = return_process([[[(HALF, [1], 0), (HALF, [1], 0)]]], [[[1]]])
    assert process.noise == 0
    process = return_process([[[("1/4", [1], 0), (HALF, [0], 0), ("1/4", [1], 0)]]], [[[1]]])
    assert process.noise == HALF


ONE = [[sure(1)]]


@pytest.mark.parametrize(
    ("outcomes", "acting", "start", "words"),
    [
        (ONE, [], 0, "at least one step"),
        (ONE, [[[1]]], 1, "start among the states"),
        ([[[("1/2", [1], 0)]]], [[[1]]], 0, r"outcomes\[0\]\[0\].*sum to 1"),
        ([[[(2, [1], 0), (-1, [0], 0)]]], [[[1]]], 0, "not negative"),
        ([[sure(1, 4)]], [[[1]]], 0, "state 4.*below 1"),
        ([[[(1, [], 0)]]], [[[1]]], 0, "at least one reward"),
        ([[[(HALF, [1], 0), (HALF, [1, 0], 0)]]], [[[1]]], 0, "as many"),
        (ONE, [[[HALF, HALF]]], 0, r"behaviour\[0\] has \[2\] actions"),
        (ONE, [[[1]], [[HALF]]], 0, r"behaviour\[1\]\[0\]"),
        (5, [[[1]]], 0, "outcomes is no sequence"),
        (ONE, "1", 0, "behaviour is a text"),
        ([[[(1, "12", 0)]]], [[[1]]], 0, r"rewards of outcomes\[0\]\[0\] is a text"),
        ([[[(1, 2, 0)]]], [[[1]]], 0, r"rewards of outcomes\[0\]\[0\] is no sequence"),
        ([[[(1, [1])]]], [[[1]]], 0, "no .probability, rewards, next state."),
        ([[[(1, [True], 0)]]], [[[1]]], 0, "boolean True"),
        ([[[(1, [math.nan], 0)]]], [[[1]]], 0, "nan"),
        ([[[(1, np.ma.masked_all(1), 0)]]], [[[1]]], 0, "masked entries"),
        ([[[(True, [1], 0)]]], [[[1]]], 0, "boolean True"),
        (ONE, [[[math.nan]]], 0, r"behaviour\[0\]\[0\]\[0\] is nan"),
        (ONE, [[[True]]], 0, "boolean True"),
        (ONE, np.ma.masked_all((1, 1, 1)), 0, "masked entries"),
        ([[sure(1, True)]], [[[1]]], 0, "whole number"),
        ([[sure(1, 0.0)]], [[[1]]], 0, "whole number"),
        ([[sure(1, "0")]], [[[1]]], 0, "whole number"),
        ([[sure(1, -1)]], [[[1]]], 0, "whole number"),
        (ONE, [[[1]]], 0.5, "start is 0.5"),
        (ONE, [[[1]]], False, "start is False"),
    ],
)
def test_processes_that_cannot_be_meant(outcomes, acting, start, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        return_process(outcomes, acting, start)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([0], "no episode of the behaviour policy has the return"),
        (["1/2"], "not a multiple of 1/1"),
        ([1, 1], "has 2 coordinates"),
        ("1", "the target is a text"),
        (1, "the target is no sequence"),
        ([True], "boolean True"),
        ([math.inf], "inf"),
        (np.ma.masked_all(1), "masked entries"),
    ],
)
def test_targets_that_cannot_be_conditioned_on(asked, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        return_conditioned(return_process(ONE, [[[1]]]), asked)


def test_a_model_without_an_action_has_no_divergence() -> None:
    process = return_process([[sure(1), sure(1)]], [[[HALF, HALF]]])
    policy = return_conditioned(process, [1])
    with pytest.raises(ModelError, match="never takes action 1"):
        divergence_terms(process, policy, lambda *_: (Fraction(1), Fraction(0)), policy.target)


def test_densities_by_hand() -> None:
    """N = 4, one step: rewards 0, 1/4 with 1/2, 1/4 of the time, 3/4 astray with 1/4; R = 1/4.

    f = 2, 1, 0, 1; within 2 delta = 1/2 of R lie all, so c = 1; slopes |df|/|dR|: 4, 4, 0.
    """
    row = [(HALF, [Fraction(0)], 0), ("1/4", [Fraction(1, 4)], 0), ("1/4", [Fraction(3, 4)], 0)]
    lattice = RewardLattice(on_lattice([[row]], [[[Fraction(1)]]], 4), (((0, 0),),), 1)
    assert (lattice.reward_noise, lattice.state_noise, lattice.delta) == (1, 0, Fraction(1, 4))
    found = densities(lattice, (1,))
    assert (found.eta, found.largest, found.shifted, found.slopes) == (1, 1, 1, (4, 4))


def test_densities_change_as_far_as_the_radius_looks() -> None:
    """N = 4, delta = 3/4, R = 0: after a first reward of 3/4 the density is 0 at what remains,
    -3/4, and 4 * 3/4 at 2/4, which is 5/4 from there: within 2 delta, and further than 1."""
    rows = [
        [[(1, ["3/4"], 2)], [(1, [0], 1)]],
        [[("1/4", [Fraction(k, 4)], 1) for k in range(4)]],
        [[("1/4", ["1/4"], 2), ("3/4", ["2/4"], 2)]],
    ]
    process = return_process(rows, [[[HALF, HALF], [1], [1]]] * 2)
    lattice = RewardLattice(process, (((3, 2), (0, 1)), ((1, 1),), ((2, 2),)), 3)
    found = densities(lattice, (0,))
    assert found.shifted == 3
    assert found.slopes[0] * 2 * lattice.delta >= found.shifted


def test_a_reward_of_one_is_no_lattice_point() -> None:
    with pytest.raises(ModelError, match="not one of the 1 lattice points"):
        RewardLattice(return_process(ONE, [[[1]]]), (((0, 0),),), 0)


REWARDS = (Fraction(1, 4), Fraction(1), Fraction(0))
HEAD = BinomialHead({(0, 0): 3, (0, 2): 2, (2, 2): 4, (1, 2): 1}, REWARDS)


def test_the_estimate_maximises_the_likelihood() -> None:
    """scipy finds p* from the data's law; the mean score is zero there, its slope I."""

    def loss(p: float) -> float:
        chances = [(1 - p) ** 2, 2 * p * (1 - p), p**2]
        return -sum(w * math.log(chances[k]) for run, w in HEAD.episodes.items() for k in run) / 20

    found = minimize_scalar(loss, bounds=(0.01, 0.99), method="bounded", options={"xatol": 1e-10})
    assert found.x == pytest.approx(float(HEAD.mean), abs=1e-6)

    def of_logit(theta: float) -> float:
        return loss(1 / (1 + math.exp(-theta)))

    at, h = math.log(HEAD.mean / (1 - HEAD.mean)), 1e-3
    second = (of_logit(at + h) - 2 * of_logit(at) + of_logit(at - h)) / h**2
    assert second == pytest.approx(float(HEAD.information), rel=1e-5)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_mean_square_by_enumerating_all_data_sets(n: int) -> None:
    """4^n data sets, each fitted by its own mean, each policy valued by its own three actions."""
    total, true = Fraction(0), None
    for data in [None, *product(HEAD.episodes, repeat=n)]:
        chosen = [k for run in data or () for k in run]
        p = Fraction(sum(chosen), 2 * len(chosen)) if chosen else HEAD.mean
        chances = [(1 - p) ** 2, 2 * p * (1 - p), p**2]
        value = 2 * sum(c * r for c, r in zip(chances, REWARDS, strict=True))
        if data is None:
            true = value
            continue
        weight = math.prod(Fraction(HEAD.episodes[run], 10) for run in data)
        total += weight * (value - true) ** 2
    assert HEAD.mean_square(n) == n * total


def test_sampled_fits_fluctuate_as_the_sandwich_says() -> None:
    """20,000 data sets of 400 episodes: the ratio of variances is 1 within 5 standard deviations,
    0.05; by single steps the form would be off by a factor of 3."""
    runs = list(product((0, 2), repeat=3))
    head = BinomialHead(dict.fromkeys(runs, 1), (Fraction(0), HALF, Fraction(1)))
    generator = np.random.default_rng(0)
    means = generator.multinomial(400, [1 / 8] * 8, 20_000) @ np.array([sum(r) for r in runs])
    errors = 3 * (means / (6 * 400) - float(head.mean))  # J = 3 p
    sandwich = 3**4 * head.sensitivity**2 * head.score_variance / head.information**2
    ratio = 400 * np.mean(errors**2) / float(sandwich)
    assert abs(ratio - 1) < 5 * math.sqrt(2 / 20_000)
    per_step = 1  # (k - 1)^2 is 1
    assert per_step == 3 * head.score_variance


def test_a_head_needs_two_sorts_of_actions() -> None:
    with pytest.raises(ModelError, match="no maximum"):
        BinomialHead({(0, 0): 1}, REWARDS)
