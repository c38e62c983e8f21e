"""Estimators beside the exact hypergradient, and beside plain loops that compute the same sums."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient import (
    BilevelModel,
    CallableLeader,
    MarkovGame,
    SoftmaxPolicy,
    discrete_toy4,
    evaluate_leader,
    four_rooms,
    game_leader,
    hypergradient,
    solve_follower,
)
from holdfast.solvers.hypergradient.estimators.ascent import Sampler, ascend
from holdfast.solvers.hypergradient.estimators.critics import (
    SampledCritic,
    monte_carlo_critic,
    sarsa_critic,
    stackelberg_critic,
)
from holdfast.solvers.hypergradient.estimators.estimate import METHODS, _means, estimate
from holdfast.solvers.hypergradient.sampling import roll_out

STATES, ACTIONS, SIZE = 4, 3, 3
RANDOM = np.random.default_rng(0)
FOLLOWER, LEADER = RANDOM.normal(size=(2, STATES - 1, ACTIONS, SIZE)) / 2
LOGITS = RANDOM.normal(size=(STATES - 1, ACTIONS, STATES, SIZE))
FIRST = RANDOM.normal(size=(STATES - 1, SIZE))
BASE = RANDOM.normal(size=(2, STATES - 1, ACTIONS))
PARAMETERS = RANDOM.normal(size=SIZE) * 0.3


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return powers / powers.sum(axis=-1, keepdims=True)


def padded(table: np.ndarray) -> np.ndarray:
    return np.concatenate([table, np.zeros((1, *table.shape[1:]))])


def model(at: np.ndarray) -> BilevelModel:
    """Rewards, transitions and first states all depend on all parameters; the last state ends."""
    return BilevelModel.of(
        padded(softmax(LOGITS @ at)), padded(BASE[0] + FOLLOWER @ at),
        padded(BASE[1] + LEADER @ at), temperature=0.7, follower_discount=0.8, leader_discount=0.9,
        initial=np.append(softmax(FIRST @ at), 0), terminal=np.arange(STATES) == STATES - 1,
    )  # fmt: skip


def pull_back(at, follower, leader, transitions, initial) -> np.ndarray:
    law, start = softmax(LOGITS @ at), softmax(FIRST @ at)
    moved = transitions.reshape(law.shape)
    moved = law * (moved - (law * moved).sum(-1, keepdims=True))
    begun = start * (initial[:-1] - start @ initial[:-1])
    return (
        np.einsum("sbd,sb->d", FOLLOWER, follower[:-1])
        + np.einsum("sbd,sb->d", LEADER, leader[:-1])
        + np.einsum("sbtd,sbt->d", LOGITS, moved)
        + begun @ FIRST
    )


THE_LEADER = CallableLeader(PARAMETERS, model, pull_back)
MODEL = model(PARAMETERS)
RESPONSE = solve_follower(MODEL)
CRITIC = evaluate_leader(MODEL, RESPONSE.policy)


def batches_of(critic, episodes: int = 1000, number: int = 60) -> np.ndarray:
    found = []
    for seed in range(number):
        drawn = roll_out(MODEL, RESPONSE.policy, seed, horizon=200, episodes=episodes)
        assert (drawn.followings[drawn.is_last] == STATES - 1).all()
        found.append(estimate(THE_LEADER, PARAMETERS, RESPONSE, drawn, critic))
    return np.array(found)


def scores(found: np.ndarray) -> np.ndarray:
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    return (found.mean(axis=0) - hypergradient(THE_LEADER).gradient) / error


def test_the_trace_estimates_the_exact_hypergradient() -> None:
    """Three z-scores within the quantile of 1e-6; the control takes V_L for zero in the advantage,
    Q grad Q, and is found out."""
    edge = -norm.ppf(1e-6 / 6)
    assert np.abs(scores(batches_of(CRITIC))).max() < edge
    uncentred = SampledCritic(np.zeros(STATES), CRITIC.action_values)
    assert np.abs(scores(batches_of(uncentred))).max() > 2 * edge


def test_the_trace_is_the_sum_over_suffixes() -> None:
    """BC-T4's two forms, for rewards and scores, each step's suffix added up by itself."""
    drawn = roll_out(MODEL, RESPONSE.policy, 4, horizon=30, episodes=5)
    immediate, direct = np.zeros((2, len(drawn.states), SIZE))
    none = (np.zeros((STATES, ACTIONS)), np.zeros(len(MODEL.transitions.data)), np.zeros(STATES))
    for k, (cell, entry, after) in enumerate(
        zip(drawn.cells, drawn.entries, drawn.followings, strict=True)
    ):
        one, place = np.zeros((STATES, ACTIONS)), np.zeros_like(none[1])
        one.flat[cell], place[entry] = 1, 1 / MODEL.transitions.data[entry]
        score = pull_back(PARAMETERS, none[0], none[0], place, none[2])
        own = pull_back(PARAMETERS, none[0], one, none[1], none[2])
        direct[k] = own + 0.9 * score * CRITIC.values[after]
        reward = pull_back(PARAMETERS, one, none[0], none[1], none[2])
        immediate[k] = reward + 0.8 * score * RESPONSE.values[after]
    total = np.zeros(SIZE)
    for a, b in zip(drawn.starts[:-1], drawn.starts[1:], strict=True):
        begun = np.zeros(STATES)
        begun[drawn.states[a]] = 1 / MODEL.initial[drawn.states[a]]
        total += pull_back(PARAMETERS, none[0], none[0], none[1], begun * CRITIC.values)
        for t in range(a, b):
            suffix = sum(0.8 ** (k - t) * immediate[k] for k in range(t, b))
            advantage = CRITIC.advantages.flat[drawn.cells[t]]
            total += 0.9 ** (t - a) * (direct[t] + advantage * suffix / 0.7)
    found = estimate(THE_LEADER, PARAMETERS, RESPONSE, drawn, CRITIC)
    np.testing.assert_allclose(found, total / 5, rtol=1e-11)


def test_hpgd_is_the_difference_of_means_over_pairs_and_states() -> None:
    """Return-gradients of rewards, averaged in dictionaries as the released code does in tables."""
    at = np.zeros(105)
    leader = four_rooms(0.01)
    problem = leader.model(at)
    policy = solve_follower(problem).policy
    drawn = roll_out(problem, policy, 0, horizon=200, steps=400)
    critic = monte_carlo_critic(problem, drawn)
    jacobian = leader.jacobians(at).follower_rewards.toarray()
    returns, running = [], np.zeros(105)
    for cell, last in zip(drawn.cells[::-1], drawn.is_last[::-1], strict=True):
        running = jacobian[cell] + (0 if last else 0.99) * running
        returns.insert(0, running)
    by_pair, by_state = defaultdict(list), defaultdict(list)
    for k, gradient in enumerate(returns):
        by_pair[drawn.cells[k]].append(gradient)
        by_state[drawn.states[k]].append(gradient)
    total = np.zeros(105)
    for k, cell in enumerate(drawn.cells):
        influence = np.mean(by_pair[cell], axis=0) - np.mean(by_state[drawn.states[k]], axis=0)
        total += 0.99 ** drawn.times[k] * critic.advantages.flat[cell] * influence / 0.01
    follower = solve_follower(problem)
    naive, found = (
        estimate(leader, at, follower, drawn, critic, name) for name in ("naive", "hpgd-mc")
    )
    assert np.linalg.norm(total) > 1e-3
    np.testing.assert_allclose(found - naive, total / drawn.n_episodes, rtol=1e-9, atol=1e-12)


def test_hpgd_from_unique_visits_is_the_direct_term_and_the_trace_is_not() -> None:
    drawn = roll_out(MODEL, RESPONSE.policy, 0, horizon=1, episodes=1)
    critic = monte_carlo_critic(MODEL, drawn)
    naive, shrunk = (
        estimate(THE_LEADER, PARAMETERS, RESPONSE, drawn, critic, name)
        for name in ("naive", "hpgd-mc")
    )
    assert (naive == shrunk).all()
    direct, whole = (
        estimate(THE_LEADER, PARAMETERS, RESPONSE, drawn, CRITIC, name)
        for name in ("naive", "bc-hg")
    )
    assert np.abs(whole - direct).min() > 1e-3


def test_sarsa_is_exact_on_a_chain_after_as_many_passes_as_it_has_states() -> None:
    """One action, step 1: each pass makes one more state's value exact, whatever the order."""
    size = 5
    law = np.zeros((size, 1, size))
    law[np.arange(size - 1), 0, np.arange(1, size)] = 1
    rewards = np.array([[1.0], [2.0], [4.0], [8.0], [0.0]])
    chain = BilevelModel.of(
        law, rewards, rewards, temperature=1.0, follower_discount=0.5, leader_discount=0.5,
        initial=np.eye(size)[0], terminal=np.arange(size) == size - 1,
    )  # fmt: skip
    policy = np.ones((size, 1))
    drawn = roll_out(chain, policy, 0, horizon=9, episodes=1)
    table, random = np.full((size, 1), 9.0), np.random.default_rng(0)
    for _ in range(size - 1):
        table = sarsa_critic(chain, policy, drawn, table, 1.0, random).action_values
    assert table.ravel().tolist() == [4, 6, 8, 8, 0]  # 8, 4 + 8/2, 2 + 8/2, 1 + 6/2
    with pytest.raises(ModelError, match="the step of the critic is 0"):
        sarsa_critic(chain, policy, drawn, table, 0, random)


def test_the_stackelberg_critic_takes_the_best_action_against_the_likeliest_answer() -> None:
    """In A the follower stays under action 0 and everything leads to S under action 1, so that the
    leader, who earns 1 in S, has value 1 + .99 V(A) there and .99 V(S) in A: V(S) = 1/(1 - .99^2).
    """
    leader = game_leader(discrete_toy4(1), SoftmaxPolicy(np.zeros((3, 2))))
    at = leader.parameters
    problem = leader.model(at)
    policy = np.full((6, 3), 0.1)
    policy[[0, 1], 1] = policy[[2, 3], 1] = policy[[4, 5], 2] = 0.8  # to A; stay in A; stay in B
    found = stackelberg_critic(problem, policy, np.arange(6) // 2)
    best = 1 / (1 - 0.99**2)
    np.testing.assert_allclose(found.action_values[0, 1], best, rtol=1e-9)
    np.testing.assert_allclose(found.action_values[3], 0.99 * best, rtol=1e-9)
    np.testing.assert_allclose(found.action_values[2, 1], 0.99**2 * best, rtol=1e-9)


def test_baselines_of_the_state_change_the_variance_and_not_the_mean() -> None:
    leader = game_leader(discrete_toy4(1), SoftmaxPolicy(np.zeros((3, 2))))
    at = leader.parameters
    how = {"seed": 0, "horizon": 1500, "episodes": 4, "critic": "exact"}
    samplers = (Sampler(leader=one, **how) for one in (leader, replace(leader, groups=None)))
    centred, plain = (np.array([one(at)[2] for _ in range(40)]) for one in samplers)
    assert plain.std() > 1.2 * centred.std()
    gap = plain.mean() - centred.mean()
    assert abs(gap) < 5 * np.hypot(plain.std(), centred.std()) / np.sqrt(40)
    exact = hypergradient(leader).gradient[2]
    assert abs(centred.mean() - exact) < 5 * centred.std() / np.sqrt(40)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_taken_off_in_a_game_has_mean_zero_and_only_there(seed: int) -> None:
    """The mean, over all steps, of the scores times the leader's means of values is zero; times
    the values themselves it is not.  A follower that does not see the leader act has no groups."""
    random = np.random.default_rng(seed)
    law = random.dirichlet(np.ones(3), size=(3, 2, 2))
    game = MarkovGame.of(law, *random.normal(size=(2, 3, 2, 2)), temperature=0.5,
                         follower_discount=0.8, leader_discount=0.9)  # fmt: skip
    leader = game_leader(game, SoftmaxPolicy(random.normal(size=(3, 2))))
    theta, found = leader.parameters, hypergradient(leader)
    at = leader.model(theta)
    (taken,) = _means(leader, theta, found.follower.values)
    weights, none = random.random(12)[at.cells], np.zeros((6, 2))
    scores = [
        leader.pull_back(theta, none, none, weights * values[at.transitions.indices], np.zeros(6))
        for values in (taken, found.follower.values)
    ]
    assert np.abs(scores[0]).max() < 1e-13
    assert np.abs(scores[1]).max() > 1e-3
    assert _means(game_leader(game, leader.vector, follower="simultaneous"), theta, taken) is None


def test_steps_are_no_longer_than_the_clip_and_the_same_seed_climbs_the_same_way() -> None:
    how = {"iterations": 4, "learning_rate": 0.25, "records": 2}
    long = ascend(THE_LEADER, lambda at: np.array([300.0, 0.0, 400.0]), **how)
    np.testing.assert_allclose(long.parameters - PARAMETERS, [0.6, 0, 0.8])  # 4 * .25 * (3, 4)/5
    short = ascend(THE_LEADER, lambda at: np.array([0.0, 0.5, 0.0]), **how)
    np.testing.assert_allclose(short.parameters - PARAMETERS, [0, 0.5, 0])
    assert long.iterations.tolist() == [0, 2, 4]
    samplers = [Sampler(leader=THE_LEADER, seed=s, horizon=50, steps=80) for s in (0, 0, 1)]
    ends = [ascend(THE_LEADER, sampler, **how).parameters for sampler in samplers]
    assert (ends[0] == ends[1]).all()
    assert (ends[0] != ends[2]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("reward", "best", "share"), [(1, 34.9926, 0.96), (2, 39.9382, 0.96)])
def test_sampled_ascent_on_discrete_toy4(reward: int, best: float, share: float) -> None:
    """3 episodes of 150 steps an iteration: BC-HG stays within 4 percent of the best return, the
    direct term alone ends below 1, the reaction with the wrong sign at 0."""
    leader = game_leader(discrete_toy4(reward), SoftmaxPolicy(np.zeros((3, 2))))
    how = {"leader": leader, "seed": 0, "horizon": 150, "episodes": 3, "critic": "exact"}
    ends = {
        name: ascend(leader, Sampler(method=name, **how), iterations=500, learning_rate=0.05)
        for name in ("bc-hg", "naive")
    }
    assert share * best < ends["bc-hg"].objectives[-1] < best
    assert ends["naive"].objectives[-1] < 1

    def flipped(at: np.ndarray) -> np.ndarray:
        found = hypergradient(leader, at)
        return found.direct - found.indirect

    assert ascend(leader, flipped, iterations=300, learning_rate=0.05).objectives[-1] < 0.01


def test_refused() -> None:
    drawn = roll_out(MODEL, RESPONSE.policy, 0, horizon=9, episodes=1)
    with pytest.raises(ModelError, match="'maddpg' is not an estimator; give one of bc-hg"):
        estimate(THE_LEADER, PARAMETERS, RESPONSE, drawn, CRITIC, "maddpg")
    with pytest.raises(ModelError, match="hpgd-oracle needs further steps"):
        estimate(THE_LEADER, PARAMETERS, RESPONSE, drawn, CRITIC, "hpgd-oracle")
    with pytest.raises(ModelError, match="naive takes no further steps"):
        estimate(THE_LEADER, PARAMETERS, RESPONSE, drawn, CRITIC, "naive", oracle=drawn)
    with pytest.raises(ModelError, match="a stackelberg critic is for games"):
        Sampler(leader=THE_LEADER, seed=0, horizon=9, steps=9, method="bi-ac")
    with pytest.raises(ModelError, match="'td' is not a critic; give exact, sarsa"):
        Sampler(leader=THE_LEADER, seed=0, horizon=9, steps=9, critic="td")
    for name, wrong in (("learning_rate", 0), ("clip", np.inf), ("iterations", 0)):
        with pytest.raises(ModelError, match=f"{name} is {wrong}"):
            ascend(THE_LEADER, **{"iterations": 1, "learning_rate": 1.0} | {name: wrong})
    with pytest.raises(ModelError, match="the gradient of iteration 1 is not finite"):
        ascend(THE_LEADER, lambda at: at * np.nan, iterations=1, learning_rate=1.0)
    assert set(METHODS) >= {"bc-hg", "hpgd-mc", "hpgd-sa", "hpgd-oracle", "sobirl", "naive"}
