"""A network is judged exactly: by the observations of the environment, as a table of choices."""

from fractions import Fraction

import numpy as np
import pytest
from stable_baselines3 import PPO

from holdfast.solvers.chance import evaluate_policy, solve
from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.judging import (
    cells,
    envelope,
    exact_world,
    expected,
    probabilities,
    stochastic,
    table,
)
from holdfast.solvers.neural.parts.tasks import make
from holdfast.solvers.neural.parts.worlds.copies import Copies

from .policies import TablePolicy
from .test_evaluation import bold_policy

TASK = "holdfast/TwoDiscs8-v0"


@pytest.fixture(scope="module")
def network() -> PPO:
    """Untrained, on the small task."""
    return PPO(
        "MlpPolicy", make(TASK, seed=0, n_envs=2, first_violation=True), seed=0, device="cpu"
    )


@pytest.mark.parametrize("flag", [True, False])
def test_the_observation_of_a_cell_is_the_array_that_the_environment_gives(flag: bool) -> None:
    world = exact_world(TASK)
    problem = world.problem
    shape = (problem.horizon, problem.levels, problem.model.n_states, -1)
    listed = np.concatenate(list(cells(world, flag))).reshape(shape)
    copies, stream = Copies(world, 300, first_violation=flag), np.random.default_rng(0)
    seen, memories = copies.reset(seed=2), set()
    for time in range(problem.horizon):
        memory, states = copies.memory, copies.states
        expected_rows = listed[time, memory, states]
        assert seen.dtype == expected_rows.dtype
        assert np.array_equal(seen, expected_rows)
        memories |= set(memory.tolist())
        seen = copies.step(stream.integers(0, 9, 300)).observations
    assert memories == {0, 1}


def test_a_table_comes_back_from_the_policy_that_follows_it() -> None:
    policy = bold_policy()
    assert np.array_equal(table(policy, TASK), policy.table)


def test_the_table_of_a_network_is_what_it_answers_one_by_one(network: PPO) -> None:
    world = exact_world(TASK)
    found = table(network, TASK)
    stream = np.random.default_rng(1)
    for _ in range(200):
        time, memory, state = (int(stream.integers(0, size)) for size in found.shape)
        seen = world.observe(time, memory, np.array([state]), flag=True)[0]
        action, _ = network.predict(seen, deterministic=True)
        assert found[time, memory, state] == 9 * state + int(action)
    value, risk = evaluate_policy(world.problem, found)
    best = envelope(TASK, risk) if risk < 1 else None
    assert best is None or (best.value is not None and value <= best.value)


def test_certain_probabilities_have_the_value_and_risk_of_the_table() -> None:
    policy = bold_policy()
    problem = policy.world.problem
    actions = policy.table - problem.model.choice_start[:-1]
    value, risk = evaluate_policy(problem, policy.table)
    assert expected(problem, np.eye(9)[actions]) == pytest.approx((value, risk), rel=1e-12)


def test_a_sampled_network_is_worth_what_the_exact_evaluation_of_its_law_says(network: PPO) -> None:
    problem = exact_world(TASK).problem
    law = probabilities(network, TASK)
    assert np.allclose(law.sum(axis=-1), 1, atol=1e-6)
    mixed = {}
    for time, memory, state in np.ndindex(law.shape[:3]):
        shares = [Fraction(float(p)) for p in law[time, memory, state]]
        mixed[time, memory, state] = {
            9 * state + a: share / sum(shares) for a, share in enumerate(shares)
        }
    exact = evaluate_policy(problem, table(network, TASK), mixed)
    assert stochastic(network, TASK) == pytest.approx(tuple(map(float, exact)), rel=1e-5)
    greedy = evaluate_policy(problem, table(network, TASK))
    assert stochastic(network, TASK) != pytest.approx(tuple(map(float, greedy)), rel=1e-2)


def test_the_envelope_is_the_exact_optimum_and_kept() -> None:
    problem = exact_world(TASK).problem
    assert envelope(TASK, "1/5").value == solve(problem, Fraction(1, 5)).value
    assert envelope(TASK, Fraction(1, 5)) is envelope(TASK, "1/5")


def test_what_cannot_be_judged_is_refused(network: PPO) -> None:
    with pytest.raises(ModelError, match="'SafetyBallRun-v0' has no exact model"):
        table(network, "SafetyBallRun-v0")
    with pytest.raises(ModelError, match=r"of shape \(\d+,\), and the task gives \(\d+,\)"):
        table(network, TASK, first_violation=False)

    class Remembering(TablePolicy):
        def predict(self, *arguments, **named):
            return super().predict(*arguments, **named)[0], (np.zeros(1),)

    policy = bold_policy()
    with pytest.raises(ModelError, match="Remembering, remembers something"):
        table(Remembering(policy.world, policy.table), TASK)
    with pytest.raises(ModelError, match="TablePolicy does not say how likely"):
        stochastic(policy, TASK)
