"""Exact problems as environments: what is sampled is the model."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binom

from holdfast.solvers.chance import ChanceProblem, evaluate_policy
from holdfast.solvers.errors import ModelError
from holdfast.solvers.models.arrays import assemble
from holdfast.solvers.models.cmdp import CMDP
from holdfast.solvers.models.grids import corner_rewards, two_discs
from holdfast.solvers.neural.parts.tasks import make, problem_of, world_of
from holdfast.solvers.neural.parts.worlds.copies import Copies
from holdfast.solvers.neural.parts.worlds.finite import FiniteWorld

TASK = "holdfast/TwoDiscs8-v0"
ALPHA = 1e-6  # of a true law being refused, by all tests of a call together


def refused(world: FiniteWorld, problem: ChanceProblem, draws: int = 2_000) -> bool:
    """Whether the one-step law of the copies is told from the rows of a problem.

    An exact two-sided binomial test for each choice and each of its successors, and no landing
    elsewhere.
    """
    model, size = problem.model, problem.model.n_states
    copies = Copies(world, draws * size, first_violation=True)
    counts = np.zeros((model.n_choices, size), dtype=np.int64)
    copies.reset(seed=1)
    for action in range(world.n_actions):
        copies.states = np.repeat(np.arange(size), draws)
        started = copies.states * size
        copies.times[:] = 0
        copies.step(np.full(copies.count, action))
        table = np.bincount(started + copies.states, minlength=size * size).reshape(size, size)
        counts[model.choice_start[:-1] + action] = table
    law = model.float_transitions().toarray()
    if counts[law == 0].any():
        return True
    seen, expected = counts[law > 0], law[law > 0]
    tails = np.minimum(binom.cdf(seen, draws, expected), binom.sf(seen - 1, draws, expected))
    return bool(2 * tails.min() < ALPHA / len(seen))


def slipping(weights: tuple[int, int]) -> ChanceProblem:
    """The small task with another law of the slips: weights of the intended move and of a slip."""
    problem = problem_of(TASK)
    assert problem is not None
    model = problem.model
    heavy = np.isin(model.weights, [16, 17, 18, 19])  # intended moves, also where slips are clipped
    changed = replace(model, weights=np.where(heavy, weights[0], weights[1] * model.weights))
    return ChanceProblem(changed, problem.unsafe, problem.horizon)


def test_one_step_has_the_law_of_the_exact_rows() -> None:
    world = world_of(TASK)
    assert world is not None
    assert not refused(world, world.problem)


def test_the_same_test_refuses_another_slip_law() -> None:
    world = world_of(TASK)
    assert world is not None
    assert refused(world, slipping((12, 2)))
    assert refused(FiniteWorld(slipping((12, 2))), world.problem)


def test_first_states_have_the_initial_law() -> None:
    problem = replace(slipping((16, 1)), model=two_discs(8).with_initial([1, 0, 3] + [0] * 61))
    started = FiniteWorld(problem).start(20_000, np.random.default_rng(0))
    assert set(started.tolist()) == {0, 2}
    assert ALPHA < binom.cdf((started == 0).sum(), 20_000, 1 / 4) < 1 - ALPHA
    assert binom.cdf((started == 0).sum(), 20_000, 3 / 4) < ALPHA  # the control


def test_arrivals_earn_the_rewards_of_the_model_in_the_mean() -> None:
    model = two_discs(8)
    problem = ChanceProblem(model, model.label("unsafe"), 15)
    FiniteWorld(problem, corner_rewards(8))
    # the first choice that may reach the corner: from (5, 6) by the move (1, 1) and a slip
    wrong = (*corner_rewards(8)[:-1], Fraction(11))
    with pytest.raises(ModelError, match=r"choice 422 has reward .* arrivals must explain"):
        FiniteWorld(problem, wrong)
    with pytest.raises(ModelError, match="arrivals has 4 entries for 64 states"):
        FiniteWorld(problem, corner_rewards(2))


def small(counts: list[int], rows: list[dict[int, int]], reward: list[int]) -> CMDP:
    """A model of a few states that starts in the first one."""
    initial = [1] + [0] * (len(counts) - 1)
    exact = [Fraction(value) for value in reward]
    return assemble(counts=counts, rows=rows, reward=exact, discount=1, initial=initial)


def corridor() -> ChanceProblem:
    """Two decisions on three states in a line, all moves certain; the middle one is unsafe.

    Action 1 goes right, 0 stays; arriving at states 0, 1, 2 earns 1, 2, 4, at the end 8 times.
    """
    rows = [{s + a if s + a < 3 else 2: 1} for s in range(3) for a in range(2)]
    earned = [1, 2, 4]
    reward = [sum(earned[t] for t in row) for row in rows]
    model = small([2, 2, 2], rows, reward)
    return ChanceProblem(model, (1,), 2, terminal=(8, 16, 32))


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("arrivals", [None, (Fraction(1), Fraction(2), Fraction(4))])
@pytest.mark.parametrize("actions", [(0, 0), (1, 0), (1, 1), (0, 1)])
def test_a_certain_episode_earns_and_pays_what_the_exact_evaluation_says(
    after: bool, arrivals: tuple[Fraction, ...] | None, actions: tuple[int, int]
) -> None:
    problem = replace(corridor(), reward_after_violation=after)
    table = np.zeros((2, 2, 3), dtype=np.int64)
    for time, action in enumerate(actions):
        table[time] = 2 * np.arange(3) + action
    value, risk = evaluate_policy(problem, table)
    copies = Copies(FiniteWorld(problem, arrivals), 1, first_violation=True)
    outcomes = [copies.step(np.array([action])) for action in actions]
    assert sum(outcome.rewards[0] for outcome in outcomes) == value == copies.earned[0]
    assert sum(outcome.costs[0] for outcome in outcomes) == risk
    assert [bool(outcome.ended[0]) for outcome in outcomes] == [False, True]


def test_the_cost_is_that_of_the_first_violation_or_of_every_unsafe_step() -> None:
    problem = corridor()
    for first, costs in ((True, [1, 0]), (False, [1, 1])):
        copies = Copies(FiniteWorld(problem), 1, first_violation=first)
        steps = [copies.step(np.array([action])) for action in (1, 0)]
        assert [step.costs[0] for step in steps] == costs
        assert [step.observations[0, -1] for step in steps] == ([1, 1] if first else [0, -1])


def test_no_episode_leaves_the_range_of_returns() -> None:
    # staying earns 1 + 1 + 8; two steps to the right 2 + 4 + 32
    assert FiniteWorld(corridor()).returns == (10, 38)
    # with nothing after the violation, one step to the right may earn 2 alone
    assert FiniteWorld(replace(corridor(), reward_after_violation=False)).returns[0] <= 2
    world = world_of(TASK)
    assert world is not None
    copies = Copies(world, 1_000, first_violation=True)
    stream = np.random.default_rng(0)
    for _ in range(world.problem.horizon):
        copies.step(stream.integers(0, 9, 1_000))
    lowest, highest = (int(bound * world.earnings.denominator) for bound in world.returns)
    assert lowest <= copies.earned.min() <= copies.earned.max() <= highest


def test_what_is_seen_tells_states_apart_and_neighbours_by_one_step() -> None:
    features = FiniteWorld(corridor()).features  # number scaled; above 0; above 1
    assert features.tolist() == [[-1, -1, -1], [0, 1, -1], [1, 1, 1]]
    world = world_of(TASK)
    assert world is not None
    assert world.features.shape == (64, 2 + 7 + 7)
    assert len(np.unique(world.features, axis=0)) == 64


def roll(env, actions) -> list:
    seen = [env.reset()]
    for row in actions:
        observations, rewards, _, infos = env.step(row)
        seen += [observations, rewards, np.array([info["cost"] for info in infos])]
    return seen


def test_a_seeded_and_reset_environment_is_as_a_fresh_one() -> None:
    actions = np.random.default_rng(0).integers(0, 9, (40, 6))
    used = make(TASK, seed=3, n_envs=6, first_violation=True)
    fresh = make(TASK, seed=5, n_envs=6, first_violation=True)
    roll(used, actions)
    used.seed(5)
    first, second, third = roll(used, actions), roll(fresh, actions), roll(fresh, actions)
    assert all(map(np.array_equal, first, second))
    assert not all(map(np.array_equal, second, third))  # without a seed the stream goes on


def test_an_ended_episode_gives_its_last_observation_and_starts_anew() -> None:
    env = make(TASK, seed=0, n_envs=3, first_violation=True)
    start = env.reset()
    for _ in range(14):
        *_, dones, infos = env.step(np.full(3, 4))
        assert not dones.any()
    seen, _, dones, infos = env.step(np.full(3, 4))
    assert dones.all()
    assert np.array_equal(seen, start)
    assert [info["TimeLimit.truncated"] for info in infos] == [False] * 3
    assert all(info["terminal_observation"][-2] == -1 for info in infos)  # no time to go


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (replace(corridor(), charge=Fraction(1)), "has charge 1 and counts_start False"),
        (replace(corridor(), counts_start=True), "counts_start True"),
        (
            replace(corridor(), model=corridor().model.with_discount("1/2")),
            "has discount 1/2; the return of an episode is the sum",
        ),
        (
            ChanceProblem(small([1, 2], [{0: 1}, {0: 1}, {1: 1}], [0] * 3), (1,), 1),
            "state 0 has 1 choices and state 1 has 2",
        ),
        (
            ChanceProblem(small([1, 1], [{0: 1, 1: 2**64}, {1: 1}], [0] * 2), (1,), 1),
            "denominator of 2\\^63 or more",
        ),
    ],
)
def test_problems_that_are_no_environments_are_refused(problem, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make(problem, seed=0, n_envs=1, first_violation=True)


def test_copies_that_explore_begin_anywhere_and_the_others_at_the_start() -> None:
    problem = problem_of("holdfast/TwoDiscs8-v0")
    assert problem is not None
    copies = Copies(FiniteWorld(problem), 3_000, first_violation=True, exploring=2_000)
    anywhere, start = copies.states[:2_000], copies.states[2_000:]
    assert set(start.tolist()) == {0}
    assert not copies.times[2_000:].any() and not copies.memory[2_000:].any()
    assert set(anywhere.tolist()) == set(range(64))
    assert set(copies.times[:2_000].tolist()) == set(range(problem.horizon))
    inside = problem.is_unsafe[anywhere] & (copies.times[:2_000] > 0)
    assert copies.memory[:2_000][inside].all()  # whoever is in a disc came there, but at time 0
    began = copies.times.copy()
    ended = [np.flatnonzero(copies.step(np.zeros(3_000, dtype=int)).ended) for _ in range(2)]
    assert set(ended[0].tolist()) == set(np.flatnonzero(began == problem.horizon - 1).tolist())
