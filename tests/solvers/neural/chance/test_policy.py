"""The three forms of a flipping policy, in the corridor where they differ most."""

import itertools
import warnings
from fractions import Fraction

import gymnasium
import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

from holdfast.solvers import ModelError
from holdfast.solvers.chance import evaluate_episode_flip, evaluate_step_flip
from holdfast.solvers.chance import evaluate_policy as evaluate_exactly
from holdfast.solvers.neural.chance import FlippingPolicy, TwoHeadPolicy

from ....zoo.corridor import LEFT, RIGHT, Corridor, always, corridor
from .networks import constant, two_heads

torch.set_num_threads(1)
HALF = Fraction(1, 2)
NEVER = 1e-9
"""A right policy fails with this probability, once: the seeds are fixed."""
START = np.array([1, 0, 0], dtype=np.float32)


def flip(form: str = "episode", probability: Fraction = HALF, seed: int = 0) -> FlippingPolicy:
    if form == "step":  # an even coin at the start, then whichever head is safe there
        return FlippingPolicy.of_heads(two_heads([0, 50, -50]), seed=seed)
    return FlippingPolicy(constant(LEFT), constant(RIGHT), probability, form=form, seed=seed)


class Scripted:
    """Gives the numbers of a list as if they had been drawn."""

    def __init__(self, numbers: tuple[float, ...]) -> None:
        self.left = list(numbers)

    def random(self, size: int) -> np.ndarray:
        taken, self.left = self.left[:size], self.left[size:]
        return np.array(taken)


def played(policy: FlippingPolicy) -> float:
    """The return of one episode, the state handed on as Stable-Baselines3 does."""
    world, state, start = Corridor(), None, True
    seen, _ = world.reset(seed=0)
    for _ in range(2):
        action, state = policy.predict(seen, state, np.array([start]))
        seen, reward, *_ = world.step(action)
        start = False
    return reward


def by_all_coins(policy: FlippingPolicy) -> Fraction:
    """The exact value: episodes under each sequence of two coins, which are equally likely."""
    returns = []
    for coins in itertools.product((1 / 4, 3 / 4), repeat=2):
        policy._coin = Scripted(coins)
        returns.append(Fraction(played(policy)))
    return sum(returns, Fraction(0)) / len(returns)


def test_forms_are_worth_what_the_exact_layer_says() -> None:
    """In the corridor risk is 1 - value."""
    problem, left, right = corridor(), always(LEFT), always(RIGHT)
    assert evaluate_episode_flip(problem, left, right, HALF) == (1, 0)
    assert by_all_coins(flip("episode")) == 1
    assert evaluate_step_flip(problem, left, right, HALF) == (HALF, HALF)
    assert by_all_coins(flip("printed")) == HALF
    mixed = {(0, 0, 0): {0: HALF, 1: HALF}}  # after the start: left in the left, right in the right
    table = always(LEFT).copy()
    table[:, :, 2] = 5
    assert evaluate_exactly(problem, table, mixed) == (1, 0)
    assert by_all_coins(flip("step")) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("form", "value"), [("episode", 1), ("printed", HALF), ("step", 1)])
def test_evaluation_by_stable_baselines(form: str, value: Fraction) -> None:
    worlds = make_vec_env(Corridor, n_envs=8, seed=1)
    returns, lengths = evaluate_policy(
        flip(form, seed=4), worlds, n_eval_episodes=1000, return_episode_rewards=True
    )
    assert set(lengths) == {2}
    if value == 1:
        assert set(returns) == {1}
    else:
        assert binomtest(int(sum(returns)), 1000, float(value)).pvalue > NEVER


class Waiting(gymnasium.Env):
    """Episodes of 1 to 5 steps; what was done in each is kept."""

    observation_space, action_space = Corridor.observation_space, Corridor.action_space
    ended: list[list[int]]

    def __init__(self) -> None:
        self.ended = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left, self.done = int(self.np_random.integers(1, 6)), []
        return START, {}

    def step(self, action):
        self.done.append(int(action))
        self.left -= 1
        if not self.left:
            self.ended.append(self.done)
        return START, 0.0, not self.left, False, {}


def episodes_of(policy: FlippingPolicy, each: int = 200) -> list[list[int]]:
    """As evaluated in 16 worlds; what a world does beyond its share is not counted there."""
    worlds = make_vec_env(Waiting, n_envs=16, seed=2)
    evaluate_policy(policy, worlds, n_eval_episodes=16 * each)
    return [done for world in worlds.envs for done in world.unwrapped.ended[:each]]


def one_coin_an_episode(episodes: list[list[int]], probability: float) -> bool:
    """Whether no episode mixes, and the second policy has its share of the first actions."""
    bold = sum(done[0] for done in episodes)
    constant_each = all(len(set(done)) == 1 for done in episodes)
    return constant_each and binomtest(bold, len(episodes), probability).pvalue > NEVER


class TossedOnce(FlippingPolicy):
    """A mutant: it does not hear that an episode begins."""

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        del episode_start
        return super().predict(observation, state, np.zeros(len(observation)), deterministic)


class TossedForAll(FlippingPolicy):
    """A mutant: one episode's end tosses the coins of all."""

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        marks = np.full(len(observation), np.any(episode_start))
        return super().predict(observation, state, marks, deterministic)


@pytest.mark.slow
def test_each_episode_of_a_vector_has_its_own_coin() -> None:
    third = Fraction(1, 3)
    assert one_coin_an_episode(episodes_of(flip(probability=third)), 1 / 3)
    assert not one_coin_an_episode(episodes_of(flip("printed", third)), 1 / 3)
    policies = constant(LEFT), constant(RIGHT)
    for mutant in (TossedOnce, TossedForAll):
        assert not one_coin_an_episode(episodes_of(mutant(*policies, third)), 1 / 3)
    assert not one_coin_an_episode(episodes_of(flip(probability=1 - third)), 1 / 3)


@pytest.mark.slow
def test_the_coin_of_two_heads_is_tossed_in_each_step_by_its_own_law() -> None:
    """At the start the logit of the first head is log 3, so that the second has 1/4."""
    policy = FlippingPolicy.of_heads(two_heads([float(np.log(3)), 0, 0]))
    assert policy.second_chances(START[None]).tolist() == pytest.approx([1 / 4], rel=1e-6)
    steps = [action for done in episodes_of(policy) for action in done]
    assert binomtest(sum(steps), len(steps), 1 / 4).pvalue > NEVER
    assert binomtest(sum(steps), len(steps), 1 / 2).pvalue < NEVER


def test_one_observation_and_a_batch_have_the_shapes_of_stable_baselines() -> None:
    policy, alone = flip(), constant(LEFT)
    for seen in (START, np.stack([START] * 3)):
        action, state = policy.predict(seen, None, np.ones(len(np.atleast_2d(seen))))
        expected, _ = alone.predict(seen)
        assert action.shape == expected.shape
        assert action.dtype == expected.dtype
        assert state[0].shape == (len(np.atleast_2d(seen)),)
    assert flip("printed").predict(START, None)[1] is None


def test_sure_coins_are_sure() -> None:
    seen = np.stack([START] * 500)
    for form in ("episode", "printed"):
        for sure in (0, 1):
            actions, _ = flip(form, Fraction(sure)).predict(seen, None, np.ones(500))
            assert set(actions.tolist()) == {sure}


def test_coins_follow_their_seed_and_touch_no_global_stream() -> None:
    seen, ones = np.stack([START] * 64), np.ones(64)
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()
    one, same, other = flip(seed=7), flip(seed=7), flip(seed=8)
    first = one.predict(seen, None, ones)[0].tolist()
    assert same.predict(seen, None, ones)[0].tolist() == first
    assert other.predict(seen, None, ones)[0].tolist() != first
    assert one.predict(seen, None, ones)[0].tolist() != first
    one.set_random_seed(7)
    assert one.predict(seen, None, ones)[0].tolist() == first
    assert np.random.get_state()[1].tolist() == before


def test_called_on_observations_it_remembers_the_coin() -> None:
    policy, returns = flip(seed=3), []
    for _ in range(40):
        world = Corridor()
        seen, _ = world.reset()
        action = policy(seen, episode_start=True)
        seen, *_ = world.step(action)
        returns.append((int(action), world.step(policy(seen))[1]))
    assert {reward for _, reward in returns} == {1}
    assert {action for action, _ in returns} == {LEFT, RIGHT}
    batch = np.stack([START] * 5)
    with pytest.raises(ModelError, match="the state is of 1 episodes and there are 5"):
        policy(batch)
    assert policy(batch, episode_start=True).shape == (5,)


def test_coins_that_get_lost_are_said() -> None:
    policy = flip()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, state = policy.predict(START)
        policy.predict(START, state)
    with pytest.warns(UserWarning, match="without the state that it returned"):
        policy.predict(START)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: flip(probability=Fraction(3, 2)), "probability is 3/2; it must lie in"),
        (lambda: flip(probability=float("nan")), "probability is nan"),
        (lambda: FlippingPolicy(constant(0), constant(1), HALF, form="once"), "form is 'once'"),
        (lambda: FlippingPolicy(constant(0), abs, HALF), "second is a builtin_function"),
        (lambda: FlippingPolicy.of_heads(constant(0)), "is a ActorCriticPolicy; form \"step\""),
        (lambda: flip(seed=-1), "seed is -1; it must lie between"),
        (
            lambda: FlippingPolicy(
                constant(0),
                TwoHeadPolicy(Corridor.observation_space, Corridor.observation_space, float),
                HALF,
            ),
            "the action_space of the first policy is Discrete",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_flip_is_refused(make, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        make()


def test_marks_of_another_number_of_episodes_are_refused() -> None:
    policy, seen = flip(), np.stack([START] * 3)
    _, state = policy.predict(seen, None, np.ones(3))
    with pytest.raises(ModelError, match="episode_start has 2 marks for 3 observations"):
        policy.predict(seen, state, np.ones(2))


def test_an_algorithm_is_taken_for_its_policy_and_continuous_actions_are_flipped() -> None:
    pendulum = PPO("MlpPolicy", "Pendulum-v1", device="cpu", seed=0)
    box = pendulum.action_space
    heads = TwoHeadPolicy(pendulum.observation_space, box, float)
    policy = FlippingPolicy(pendulum, heads, HALF, seed=1)
    seen = np.stack([pendulum.observation_space.sample() for _ in range(200)])
    actions, (bold,) = policy.predict(seen, None, np.ones(200))
    one, other = (p.predict(seen, deterministic=True)[0] for p in (pendulum, heads))
    assert actions.tolist() == np.where(bold[:, None] == 1, other, one).tolist()
    assert 0 < bold.sum() < 200
