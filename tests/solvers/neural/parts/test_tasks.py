"""Tasks by name: each step has a cost, and everything follows from the seed."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts import worlds
from holdfast.solvers.neural.parts.costs import CostEnv
from holdfast.solvers.neural.parts.evaluation import evaluate
from holdfast.solvers.neural.parts.nearest import nearest
from holdfast.solvers.neural.parts.tasks import TASKS, make, problem_of
from holdfast.solvers.neural.parts.worlds.bullet import BulletEnv
from holdfast.solvers.neural.parts.worlds.copies import Copies
from holdfast.solvers.neural.parts.worlds.known import known_world
from holdfast.solvers.neural.parts.worlds.velocity import VelocityCost

from .policies import Always

gymnasium.register_envs(worlds)


class Scripted(gymnasium.Env):
    """Five steps, observed as (time, 0); info has what the script says of each."""

    observation_space = spaces.Box(-10.0, 10.0, (2,), np.float64)
    action_space = spaces.Discrete(2)

    def __init__(self, script=({"cost": 0}, {"cost": 2}, {"cost": 0}, {"cost": 1}, {"cost": 0})):
        self.script = script

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        return np.array([0.0, 0.0]), {}

    def step(self, action):
        info = dict(self.script[self.time])
        self.time += 1
        return np.array([float(self.time), 0.0]), 1.0, False, self.time == 5, info


def costs_and_flags(env: CostEnv) -> tuple[list[float], list[float]]:
    seen, _ = env.reset()
    costs, flags, ended = [], [seen[-1]], False
    while not ended:
        seen, _, _, ended, info = env.step(1)
        costs.append(info["cost"])
        flags.append(seen[-1])
        assert env.observation_space.contains(seen)
    return costs, flags


def test_only_the_first_unsafe_step_costs_and_the_flag_says_so() -> None:
    env = CostEnv(Scripted(), first_violation=True)
    expected = [0, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1]
    assert costs_and_flags(env) == expected
    assert costs_and_flags(env) == expected  # the next episode begins without a violation
    assert costs_and_flags(CostEnv(Scripted(), first_violation=False)) == (
        [0, 2, 0, 1, 0],
        [0] * 6,
    )


def test_a_cost_function_sees_the_step_and_takes_precedence() -> None:
    seen = []

    def cost(observation, action, following, info) -> bool:
        seen.append((observation[0], action, following[0], info))
        return following[0] == 3

    env = CostEnv(Scripted(({},) * 5), first_violation=False, cost=cost)
    assert costs_and_flags(env)[0] == [0, 0, 1, 0, 0]
    assert seen[1] == (1.0, 1, 2.0, {})


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        (None, r'Scripted has no cost: let its step return the cost in info\["cost"\], or give'),
        (lambda *_: "much", "a cost of Scripted is 'much', which is no number"),
        (lambda *_: float("nan"), "a cost of Scripted is nan; it must be finite"),
    ],
)
def test_a_step_without_a_proper_cost_is_refused(cost, message: str) -> None:
    env = CostEnv(Scripted(({},) * 5), first_violation=True, cost=cost)
    env.reset()
    with pytest.raises(ModelError, match=message):
        env.step(0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "SafetyBalRun-v0"}, "no task 'SafetyBalRun-v0'; did you mean 'SafetyBallRun-v0'"),
        ({"task": "holdfast/TwoDisc-v0"}, "did you mean 'holdfast/TwoDiscs-v0'"),
        ({"task": "xyz"}, "there is no task 'xyz'; there are holdfast/TwoDiscs-v0, .*--list"),
        ({"task": "Pendulum-v1"}, "Pendulum-v1 has no cost: let its step return"),
        ({"task": "FrozenLake-v1"}, "observations Discrete.*only a Box of one dimension"),
        ({"task": "Blackjack-v1"}, "observations Tuple.*FlattenObservation"),
        ({"cost": lambda *_: 0.0}, "an exact problem, whose cost is .* leave it out"),
        ({"n_envs": 0}, "n_envs is 0; at least 1 copy"),
    ],
)
def test_what_is_no_task_is_refused(arguments, message: str) -> None:
    given = {"task": "holdfast/TwoDiscs8-v0", "seed": 0, "n_envs": 1, "first_violation": True}
    with pytest.raises(ModelError, match=message):
        make(**{**given, **arguments})


def roll(env, steps: int = 40) -> list:
    """All that is seen under actions that are always the same."""
    stream, seen = np.random.default_rng(0), [env.reset()]
    for _ in range(steps):
        actions = stream.uniform(-1, 1, (env.num_envs, *env.action_space.shape))
        if isinstance(env.action_space, spaces.Discrete):
            actions = np.rint(4 * actions) + 4
        observations, rewards, dones, infos = env.step(actions.astype(env.action_space.dtype))
        seen += [observations, rewards, dones, np.array([info["cost"] for info in infos])]
    return seen


def same(first: list, second: list) -> bool:
    return all(map(np.array_equal, first, second))


QUICK = (
    "SafetyBallRun-v0",
    "SafetyCarCircle-v0",
    "SafetyAntRun-v0",
    "SafetyBallGather-v0",
    "holdfast/HopperVelocity-v0",
)


@pytest.mark.parametrize(
    "task",
    [
        *QUICK,
        *(pytest.param(task, marks=pytest.mark.slow) for task in TASKS if task not in QUICK),
    ],
)
def test_a_seeded_and_reset_task_is_as_a_fresh_one(task: str) -> None:
    used, fresh = (make(task, seed=seed, n_envs=2, first_violation=True) for seed in (3, 5))
    np.random.seed(1)
    expected = np.random.random()
    np.random.seed(1)
    roll(used, 130)  # into another episode of most
    used.seed(5)
    again, first = roll(used), roll(fresh)
    assert same(again, first)
    assert not same(first, roll(fresh))  # without a seed the stream goes on
    assert np.random.random() == expected  # the global generator is left alone


def test_bullet_alone_does_not_repeat_itself() -> None:
    # the control of the test above: without its wrapper the seed has no effect
    env = BulletEnv("SafetyBallRun-v0").env
    first, second = (env.reset(seed=5)[0] for _ in range(2))
    assert not np.array_equal(first, second)


def test_the_cost_of_a_body_is_its_speed_above_the_limit() -> None:
    class Moving(Scripted):
        speeds = ({"x_velocity": 3.0}, {"x_velocity": -5.0}, {"x_velocity": 3.1})

    line = VelocityCost(Moving(Moving.speeds), 3.0)
    line.reset()
    assert [line.step(0)[-1]["cost"] for _ in range(3)] == [0, 0, 1]
    plane = ({"x_velocity": 3.0, "y_velocity": 0.0}, {"x_velocity": -3.0, "y_velocity": 4.0})
    moving = VelocityCost(Moving(plane), 3.0)
    moving.reset()
    assert [moving.step(0)[-1]["cost"] for _ in range(2)] == [0, 1]


def test_no_log_is_left_where_a_velocity_task_is_made(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    make("holdfast/HalfCheetahVelocity-v0", seed=0, n_envs=1, first_violation=True)
    assert not list(tmp_path.iterdir())
    gymnasium.make("HalfCheetah-v5")  # the control: alone it leaves one
    assert [path.name for path in tmp_path.iterdir()] == ["MUJOCO_LOG.TXT"]


def test_a_task_of_another_package_is_evaluated() -> None:
    still = evaluate(
        Always(np.zeros(2, dtype=np.float32)), "SafetyBallRun-v0", episodes=3, seed_words=("still",)
    )
    thrust = evaluate(
        Always(np.array([1, 0], dtype=np.float32)),
        "SafetyBallRun-v0",
        episodes=3,
        seed_words=("thrust",),
    )
    assert (still.violations, thrust.violations) == (0, 3)
    assert (still.lowest, still.highest) == (None, None)
    assert thrust.value > 10 * abs(still.value)


def test_a_function_gives_pendulum_a_cost() -> None:
    env = make(
        "Pendulum-v1",
        seed=0,
        n_envs=2,
        first_violation=True,
        cost=lambda _seen, _action, following, _info: abs(following[2]) > 1,
    )
    flags = [env.reset()[:, -1]]
    costs = np.zeros(2)
    for _ in range(100):
        seen, _, _, infos = env.step(np.full((2, 1), 2.0))
        flags.append(seen[:, -1])
        costs += [info["cost"] for info in infos]
    assert costs.tolist() == [1, 1] == flags[-1].tolist()


def test_only_ours_have_an_exact_problem() -> None:
    problem = problem_of("holdfast/TwoDiscs-v0")
    assert problem is not None
    # cells of a disc of radius 5/2: 2 (5 + 5 + 1) around a half-integer, 5 + 2 (5 + 3) if not
    assert (problem.model.n_states, problem.horizon, len(problem.unsafe)) == (256, 30, 22 + 21)
    assert problem_of(problem) is problem
    assert problem_of("SafetyBallRun-v0") is None


@pytest.mark.parametrize("task", ["holdfast/TwoDiscs-v0", "holdfast/TwoDiscs8-v0"])
def test_gymnasium_makes_and_accepts_ours(task: str) -> None:
    check_env(gymnasium.make(task).unwrapped, skip_render_check=True)
    assert set(gymnasium.registry) >= {known for known in TASKS if known.startswith("holdfast/")}


def test_one_copy_and_many_follow_the_same_stream() -> None:
    task = "holdfast/TwoDiscs8-v0"
    single, many = gymnasium.make(task), gymnasium.make_vec(task, num_envs=1)
    copies = Copies(known_world(task), 1, first_violation=True)
    first = copies.reset(7)
    assert np.array_equal(single.reset(seed=7)[0], first[0])
    assert np.array_equal(many.reset(seed=7)[0], first)
    for time in range(15):
        outcome = copies.step(np.array([8]))
        seen, reward, ended, truncated, info = single.step(8)
        assert (reward, ended, truncated) == (outcome.rewards[0], time == 14, False)
        assert info["cost"] == outcome.costs[0]
        assert np.array_equal(seen, outcome.observations[0])
        seen, reward, ended, _, infos = many.step(np.array([8]))
        assert (reward[0], ended[0]) == (outcome.rewards[0], time == 14)
        assert infos["cost"][0] == outcome.costs[0]
    assert np.array_equal(infos["final_obs"][0], outcome.observations[0])
    assert np.array_equal(seen, copies.reset())


def test_a_first_reset_without_a_seed_is_by_chance() -> None:
    actions = [8] * 15
    returns = set()
    for _ in range(6):
        env = gymnasium.make("holdfast/TwoDiscs8-v0")
        env.reset()
        returns.add(tuple(env.step(action)[1] for action in actions))
    assert len(returns) > 1


@pytest.mark.slow
def test_nothing_is_printed_when_a_task_is_made() -> None:
    code = (
        "import holdfast.solvers.neural.parts.tasks as tasks\n"
        "for task in ('SafetyBallRun-v0', 'holdfast/TwoDiscs8-v0', 'holdfast/HopperVelocity-v0'):\n"
        "    tasks.make(task, seed=0, n_envs=1, first_violation=True).reset()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100
    )
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("chance/sac", ("chance/cpo", "chance/ppo-lagrangian"), None),
        ("ppo-lagrangian", ("chance/cpo", "chance/ppo-lagrangian"), "chance/ppo-lagrangian"),
        ("holdfast/Maze-v0", ("holdfast/TwoDiscs-v0",), None),
        ("holdfast/twodisc-v0", ("holdfast/TwoDiscs-v0",), "holdfast/TwoDiscs-v0"),
    ],
)
def test_only_a_slip_is_taken_for_another_name(
    name: str, known: tuple[str, ...], meant: str | None
) -> None:
    """What all names share, pillar and version, makes no two of them alike."""
    assert nearest(name, known) == meant
