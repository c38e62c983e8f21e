"""The statements on hypergradients: drawn models, sharp cases by hand, false variants counted."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import flint
import numpy as np
import pytest
from tests.zoo.shards import shards

from holdfast.solvers.hypergradient import balls, exact_games, exact_traces
from holdfast.solvers.hypergradient.balls import Point, covariances, direct
from holdfast.verify.binding.claims import shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.engine.examiner import Kind
from holdfast.verify.hypergradient.claims.games import BEST
from holdfast.verify.hypergradient.claims.hypergradients import TRACES, leader_discount
from holdfast.verify.hypergradient.families.points import array, game, point
from holdfast.verify.hypergradient.landmarks.toy import enclosed_toy, returns, toy
from holdfast.verify.hypergradient.oracles.duals import derivatives
from holdfast.verify.hypergradient.oracles.episodes import episodes
from holdfast.verify.kernel import Verdict

LABELS = (
    "covariance/trick",
    "covariance/gaussian",
    "covariance/envelope",
    "hypergradients/boltzmann",
    "hypergradients/unbiased",
    "hypergradients/truncation",
    "hypergradients/shaping",
    "games/observing",
    "games/unbiased",
    "games/simultaneous",
    "games/toy-one",
    "games/toy-two",
    "bounds/policy",
    "bounds/indirect",
    "bounds/plug-in",
    "bounds/plug-in-gradient",
    "bounds/tracking",
    "bounds/soft-gap",
    "baselines/unique-visits",
    "baselines/code-backup",
    "baselines/action-baseline",
    "baselines/mode-target",
    "baselines/two-kernels",
    "baselines/batch-scale",
    "baselines/ring-suffix",
)
CLAIMS = {c.name: c for c in shipped() if c.theorem.label in LABELS and not c.trained}
MUTANTS = [(name, one.name) for name, claim in CLAIMS.items() for one in claim.named_mutants]
HALF = Fraction(1, 2)


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    """Of balls; in 53 bits those of cold or patient followers are wide."""
    with flint.ctx.workprec(256):
        yield


shard = shards(CLAIMS, 3)


def values_on(label: str, landmark: str) -> dict[str, Any]:
    claim = CLAIMS[label]
    (values,) = claim.evaluate(*claim.family.landmark(landmark))
    return {quantity.name: value for quantity, value in values.items()}


def test_every_statement_of_the_pillar_is_listed() -> None:
    pillar = {c.theorem.label for c in shipped() if "hypergradient/claims" in c.file}
    assert {c.theorem.label for c in CLAIMS.values()} == set(LABELS) <= pillar


@pytest.mark.parametrize("name", CLAIMS)
def test_a_few_models_agree(name: str) -> None:
    size = max(2, 8 // CLAIMS[name].family.weight)
    verdicts = {one.verdict for one in shard(name, Kind.DRAWN, size).findings}
    false = CLAIMS[name].theorem.standing.is_false
    assert (Verdict.VIOLATED in verdicts) is false
    assert not verdicts & {Verdict.UNDECIDED, Verdict.OUT_OF_SCOPE}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_a_named_mutant_falls(name: str, mutant: str) -> None:
    drawn = shard(name, Kind.DRAWN, max(2, 8 // CLAIMS[name].family.weight)).kills
    assert mutant in drawn or mutant in shard(name, Kind.LANDMARKS, 9).kills


def test_without_once_hpgd_is_not_zero_and_without_a_potential_neither() -> None:
    assert shard("baselines/unique-visits", Kind.CONTROL, 100, "once").kills
    assert shard("hypergradients/shaping", Kind.CONTROL, 100, "shaping").kills


def fallen(
    truth: Callable[[Any], Any],
    wrong: Callable[[Any], Any],
    draw: Callable[..., Any],
    **options: bool,
) -> int:
    """On how many of 30 drawn cases a wrong variant differs from the truth, exactly."""
    cases = [draw(PhiloxDraw("mutants", index), **options) for index in range(30)]
    return sum(truth(case) != wrong(case) for case in cases)


def uncentred(case: Point) -> Any:
    """E sum gamma_L^t Q_L dQ_F."""
    _, action_values = balls.leader_values(case)
    products = action_values * balls.follower_gradients(case)[1]
    return (balls.occupancy(case) * balls.mean(case.policy, products)).sum()


@pytest.mark.parametrize(("wrong", "least"), [
    (lambda p: direct(p) + uncentred(p) / p.temperature, 27),
    (lambda p: direct(p) - covariances(p) / p.temperature, 27),
    (lambda p: direct(p) + covariances(p), 15),  # the temperature is 1 in a fifth of the cases
    (lambda p: direct(p) + covariances(p) / p.temperature / 2, 27),
    (direct, 27),
    (lambda p: direct(p) + leader_discount(p) / p.temperature, 15),  # all but the next step ends
])  # fmt: skip
def test_variants_of_the_hypergradient_fall(wrong: Callable[[Point], Any], least: int) -> None:
    """Those of T3: centring, sign, temperature, a half, the direct term, gamma_L inside."""
    assert fallen(lambda p: derivatives(p).objective, wrong, point) >= least
    assert fallen(lambda p: derivatives(p).objective, balls.hypergradient, point) == 0


@pytest.mark.parametrize("name", TRACES)
def test_variants_of_the_trace_fall(name: str) -> None:
    """Episodes of one step cannot tell discounts; a suffix that begins late is told always."""
    assert fallen(covariances, TRACES[name], point, forward=True) >= 10


def test_the_baseline_of_the_code_biases_the_direct_term() -> None:
    by_code = partial(exact_games.direct_term, baseline="released code")
    assert fallen(exact_games.direct_term, by_code, game) >= 25
    found = values_on("baselines/action-baseline", "matching")
    assert (found["direct"], found["by_code"]) == (Fraction(1, 5), 0)


def test_instances_of_the_released_code() -> None:
    """By hand, in the docstrings of the landmarks and in the statements."""
    kernels = values_on("baselines/two-kernels", "shipped")
    assert (kernels["simulated"], kernels["in_matrix"]) == (Fraction(67, 100), Fraction(14, 25))
    suffix = values_on("baselines/ring-suffix", "shipped")
    assert (suffix["stored"], suffix["whole"]) == (1, 150)
    critic = values_on("baselines/mode-target", "two")
    assert (critic["by_modes"], critic["value"]) == (Fraction(2, 5), Fraction(4, 5))
    backup = values_on("baselines/code-backup", "identity")
    assert backup["of_mean"].compute().str(3, radius=False) == "0.535"
    assert backup["backup"].compute().str(4, radius=False) == "1.000"


def test_other_transitions_of_a_ring_buffer_are_whole() -> None:
    """Only the one at the pointer is cut: the loop of the code from each of 450 places."""
    cut = []
    for start in range(450):
        at = start
        while (at + 1) % 150 and at != 0:
            at += 1
        if at - start + 1 != 150 - start % 150:
            cut.append(start)
    assert cut == [0]


def test_by_jensen_the_backup_of_the_code_is_never_above() -> None:
    claim = CLAIMS["baselines/code-backup"]
    for index in range(60):
        (values,) = claim.evaluate(*claim.family.draw(PhiloxDraw("jensen", index)))
        below, above = (values[q].compute() for q in sorted(values, key=lambda q: q.name)[::-1])
        assert below <= above or below.overlaps(above)


def test_probabilities_of_all_trajectories_sum_to_one() -> None:
    for index in range(20):
        case = point(PhiloxDraw("sum", index), forward=True)
        assert sum(chance for chance, _ in episodes(case)) == 1


def between(number: flint.arb, low: str, high: str) -> bool:
    return bool(flint.arb(low) < number < flint.arb(high))


@pytest.mark.parametrize(("p", "reward", "low", "high"), [
    (BEST[1], 1, "34.9926", "34.9927"),
    (BEST[2], 2, "39.9401", "39.9402"),
    (HALF, 1, "0.6170", "0.6171"),
    (Fraction(0), 1, "33.65", "33.66"),
    (Fraction(1, 4), 1, "33.39", "33.40"),
])  # fmt: skip
def test_returns_of_the_toy_game(p: Fraction, reward: int, low: str, high: str) -> None:
    """Figures of a plain value iteration in doubles, enclosed."""
    assert between(returns(p, reward)[0], low, high)


@pytest.mark.parametrize("reward", BEST)
def test_the_toy_game_is_best_where_the_derivative_changes_its_sign(reward: int) -> None:
    step = Fraction(1, 2000)
    assert returns(BEST[reward] - step, reward)[1] > 0
    assert returns(BEST[reward] + step, reward)[1] < 0


@pytest.mark.parametrize("reward", BEST)
def test_the_direct_term_alone_leads_away_from_the_best(reward: int) -> None:
    """At p = 3/5, beyond both: J falls with p, and by the direct term it would rise."""
    found = enclosed_toy(Fraction(3, 5), reward)
    assert balls.hypergradient(found) < 0 < balls.direct(found)


def code_follower(p: Fraction, reward: int) -> flint.arb:
    """J if the follower is the one that the backup of the code makes, at its fixed point: V(s) is
    the soft maximum of the mean of Q over the leader's actions, and g is made of Q(s, a, b)."""
    case = toy(p, reward)
    number, law = balls.number, balls.elementwise(balls.number, case.leader_policy)
    rewards = balls.elementwise(number, case.follower_rewards)
    kernel = balls.elementwise(number, case.transitions)
    mean_rewards = (law[:, :, None] * rewards).sum(axis=1)
    mean_kernel = np.einsum("sa,sabt->sbt", law, kernel)
    discount, temperature = number(case.follower_discount), number(case.temperature)
    _, values = balls.enclose_follower(mean_rewards, mean_kernel, temperature, discount)
    action_values = rewards + discount * np.einsum("sabt,t->sab", kernel, values)
    policy, _ = balls.soft_maximum(action_values.reshape(6, 3), temperature)
    ball = balls.in_balls(exact_games.observing(case))
    return balls.objective(replace(ball, policy=policy))


def test_the_follower_of_the_code_is_another_one() -> None:
    """The mean over a' enters the soft maximum linearly, so its fixed point is that of a follower
    with mean rewards and transitions: J is 32.72 at p = 1/4, against 33.39."""
    assert between(code_follower(Fraction(1, 4), 1), "32.71", "32.73")


def test_a_single_action_and_an_indifferent_leader_have_no_indirect_term() -> None:
    """Rewards and transitions of the leader the same for all actions: A_L = 0."""
    for index in range(20):
        case = point(PhiloxDraw("indifferent", index))
        same = {
            name: getattr(case, name)[:, :1] + getattr(case, name) * 0
            for name in ("transitions", "transition_slope", "leader_rewards", "leader_slope")
        }
        alike = replace(case, **same)
        assert covariances(alike) == 0
        assert derivatives(alike).objective == direct(alike)


def coin_at(temperature: Fraction) -> Point:
    """One state, r_F = (0, 1) + t (0, 1), r_L = (0, 1), discounts 0: g = 1/(1 + e^(-1/beta))."""
    one, zero = array([[0, 1]]), array([0])
    start = Point(
        one * 0, zero, array([[[1], [1]]]), one, array([1]), one, array([[[0], [0]]]), one * 0,
        zero, temperature, Fraction(0), Fraction(0),
    )  # fmt: skip
    return balls.enclosed(start, one)


def test_hot_and_cold_followers() -> None:
    """dJ = g (1 - g)/beta: nearly 1/(4 beta) where hot, e^(-1/beta)/beta where cold, the largest
    in between."""
    hot, cold, middle = (balls.hypergradient(coin_at(Fraction(n, 100))) for n in (10**6, 2, 65))
    assert between(hot * 40000, "0.999", "1.001")
    assert 0 < cold < flint.arb("1e-19")
    assert between(middle, "0.21", "0.25")


def test_a_state_that_is_never_reached_counts_for_nothing() -> None:
    """Whatever is paid there: its occupancy is 0."""
    for index in range(30):
        case = point(PhiloxDraw("unreached", index), forward=True)
        reached = balls.occupancy(case)
        for state in np.flatnonzero(reached == 0):
            if case.initial_slope[state] == 0:
                rewards = case.leader_slope.copy()
                rewards[state] += 1
                moved = replace(case, leader_slope=rewards)
                assert balls.hypergradient(moved) == balls.hypergradient(case)


def test_a_trace_by_hand() -> None:
    """Two steps of the advantages 1 and -1, i = (1, 3), gamma_F = 1/2, gamma_L = 1/4:
    e = (1, 1/2 - 1/4), so 1 + 3/4; backwards 1 (1 + 3/2) - (1/4) 3."""
    case = Point(
        array([[HALF, HALF], [HALF, HALF]]), array([0, 0]), array([[[0, 1]] * 2, [[0, 0]] * 2]),
        array([[0, 0]] * 2), array([1, 0]), array([[1, 0], [3, 0]]), array([[[0, 0]] * 2] * 2),
        array([[0, 0]] * 2), array([0, 0]), Fraction(1), HALF, Fraction(1, 4),
    )  # fmt: skip
    steps, advantages = ((0, 0, 1), (1, 0, exact_traces.END)), array([[1, 0], [-1, 0]])
    assert exact_traces.trace_sum(case, advantages, steps) == Fraction(7, 4)
    assert exact_traces.suffix_sum(case, advantages, steps) == Fraction(7, 4)
