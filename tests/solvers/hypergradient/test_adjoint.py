"""The hypergradient against differences, extended arithmetic and closed forms; and its bounds."""

from __future__ import annotations

import flint
import numpy as np
import pytest
from flint import arb, arb_mat
from scipy import sparse

from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient import (
    AffineLeader,
    BilevelModel,
    CallableLeader,
    MarkovGame,
    SoftmaxPolicy,
    four_rooms,
    game_leader,
    hypergradient,
    random_model,
    reward_penalty,
    solve_follower,
    transition_configuration,
)

SEEDS = range(4)


def law(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random laws, about half of their entries zero."""
    table = rng.random(shape) * (rng.random(shape) < 0.5)
    table[..., 0] += 0.1
    return table / table.sum(axis=-1, keepdims=True)


def model(seed: int, states: int = 4, actions: int = 3, beta: float = 0.4) -> BilevelModel:
    rng = np.random.default_rng(seed)
    return BilevelModel.of(
        law(rng, states, actions, states),
        rng.normal(size=(states, actions)),
        rng.normal(size=(states, actions)),
        temperature=beta,
        follower_discount=0.9,
        leader_discount=0.7,
    )


def leaders(seed: int) -> dict[str, AffineLeader]:
    """Every kind of leader, on one small model or game."""
    rng, base = np.random.default_rng(seed), model(seed)
    game = MarkovGame.of(
        law(rng, 3, 2, 3, 3), rng.normal(size=(3, 2, 3)), rng.normal(size=(3, 2, 3)),
        temperature=0.3, follower_discount=0.8, leader_discount=0.9,
    )  # fmt: skip
    policy = SoftmaxPolicy(rng.normal(size=(3, 2)))
    adds = rng.normal(size=(2, 12, 3))
    return {
        "linear": reward_penalty(base, adds[0], adds[1], parameters=rng.normal(size=3)),
        "budget": reward_penalty(base, adds[0], adds[1], parameters=rng.normal(size=4), budget=-2),
        "kernels": transition_configuration(
            base, [law(rng, 12, 4), law(rng, 12, 4)], groups=[0, 1, 0, 1],
            logits=rng.normal(size=(2, 2)),
        ),
        "observing": game_leader(game, policy),
        "simultaneous": game_leader(game, policy, follower="simultaneous"),
    }  # fmt: skip


KINDS = tuple(leaders(0))


# -- a second method: everything in 140 bits, the derivative by differences -----------------------
def objective(leader: AffineLeader, theta: np.ndarray) -> arb:
    """J_L of an affine leader in 140 bits: soft value iteration, then a linear system.

    The model is assembled from the leader's maps here, so that its own arithmetic is checked too.
    """
    base, maps = leader.base, leader.maps
    y = inner(leader, theta)
    size, width = base.n_states, base.n_actions

    def entries(part: str, fixed: np.ndarray, added: bool) -> list[arb]:
        linear = getattr(maps, part)
        if linear is None:
            return [arb(float(v)) for v in fixed.ravel()]
        table = linear.toarray()
        return [
            sum((arb(float(a)) * v for a, v in zip(row, y, strict=True) if a), arb(0))
            + (arb(float(v)) if added else 0)
            for row, v in zip(table, fixed.ravel(), strict=True)
        ]

    follower = entries("follower_rewards", base.follower_rewards, True)
    paid = entries("leader_rewards", base.leader_rewards, True)
    stored = entries("transitions", base.transitions.data, False)
    initial = entries("initial", base.initial, False)
    rows: list[list[tuple[int, arb]]] = [[] for _ in range(size * width)]
    for row, column, chance in zip(base.cells, base.transitions.indices, stored, strict=True):
        rows[row].append((int(column), chance))
    beta, discount = arb(base.temperature), arb(base.follower_discount)
    values = [arb(0)] * size

    def ahead(row: int) -> arb:
        return follower[row] + discount * sum((p * values[x] for x, p in rows[row]), arb(0))

    for _ in range(900):  # 0.9 ** 900 is 1e-41
        powers = [[(ahead(x * width + b) / beta).exp() for b in range(width)]
                  for x in range(size)]  # fmt: skip
        values = [beta * sum(each, arb(0)).log() for each in powers]
    powers = [[(ahead(x * width + b) / beta).exp() for b in range(width)] for x in range(size)]
    matrix = arb_mat(size, size, [int(x == y) for x in range(size) for y in range(size)])
    right = arb_mat(size, 1)
    for x in range(size):
        for b in range(width):
            share = powers[x][b] / sum(powers[x], arb(0))
            right[x, 0] += share * paid[x * width + b]
            for after, chance in rows[x * width + b]:
                matrix[x, after] -= arb(base.leader_discount) * share * chance
    solved = matrix.solve(right)
    return sum((m * solved[x, 0] for x, m in enumerate(initial)), arb(0))


def inner(leader: AffineLeader, theta: np.ndarray) -> list[arb]:
    """The vector of a leader in 140 bits."""
    if not isinstance(leader.vector, SoftmaxPolicy):
        return list(theta)
    rows, width = np.shape(leader.vector.logits)
    kept, found = width - leader.vector.dropped, []
    for row in range(rows):
        powers = [v.exp() for v in theta[row * width : (row + 1) * width]]
        found += [arb(leader.vector.scale) * p / sum(powers, arb(0)) for p in powers[:kept]]
    return found


def difference(leader: AffineLeader, at: int) -> arb:
    """The derivative in one parameter by a central difference with an error of about 1e-22."""
    theta = np.array([arb(float(v)) for v in leader.parameters], dtype=object)
    step = np.array([arb(0)] * len(theta), dtype=object)
    step[at] = arb(10) ** -11
    return (objective(leader, theta + step) - objective(leader, theta - step)) / (2 * step[at])


@pytest.mark.parametrize("kind", KINDS)
def test_the_bounds_hold_and_are_narrow(kind: str) -> None:
    """The derivative in 140 bits lies within the bound; the bound is little more than rounding."""
    with flint.ctx.workprec(140):
        leader = leaders(7)[kind]
        found = hypergradient(leader)
        exact = objective(leader, [arb(float(v)) for v in leader.parameters])
        assert abs(exact - found.objective) <= found.objective_error < 1e-11
        last = leader.parameters.size - 1
        for at in (0, last):
            error = abs(difference(leader, at) - arb(float(found.gradient[at])))
            assert error <= found.error_bound[at]
            assert found.error_bound[at] < 1e-8 * (1 + np.abs(found.gradient).max())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_wrong_forms_are_outside_of_the_bounds(kind: str, seed: int) -> None:
    """The direct term alone, a flipped sign, and a missing 1/beta: all are seen."""
    found = hypergradient(leaders(seed)[kind])
    beta = leaders(seed)[kind].base.temperature
    wrong = (found.direct, found.direct - found.indirect, found.direct + beta * found.indirect)
    for other in wrong:
        assert (np.abs(other - found.gradient) > 1000 * found.error_bound).any()


@pytest.mark.parametrize("kind", KINDS)
def test_terms_add_up(kind: str) -> None:
    leader = leaders(1)[kind]
    found = hypergradient(leader)
    direct, indirect = (hypergradient(leader, terms=t) for t in ("direct", "indirect"))
    assert (direct.gradient == found.direct).all() and not direct.indirect.any()
    assert (indirect.gradient == found.indirect).all() and not indirect.direct.any()
    assert (found.gradient == found.direct + found.indirect).all()
    assert (direct.error_bound <= found.error_bound).all()


@pytest.mark.parametrize("kind", KINDS)
def test_jacobians_are_pull_backs(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leader's own Jacobians, and those put together from one pull-back an entry."""
    monkeypatch.setattr(AffineLeader, "rounding", lambda *_: None)  # a leader of functions has none
    leader = leaders(2)[kind]
    plain = CallableLeader(leader.parameters, leader.model, leader.pull_back)
    one, two = hypergradient(leader), hypergradient(plain)
    assert (one.gradient == two.gradient).all()
    assert two.error_bound == pytest.approx(one.error_bound, rel=1e-3)


def test_a_wrong_pull_back_widens_the_bound() -> None:
    leader = leaders(3)["linear"]

    class Wrong:
        parameters, model, jacobians = leader.parameters, leader.model, leader.jacobians

        def pull_back(self, *arguments: np.ndarray) -> np.ndarray:
            return 1.001 * leader.pull_back(*arguments)

    right, found = hypergradient(leader), hypergradient(Wrong())
    assert (np.abs(found.gradient - right.gradient) <= found.error_bound).all()
    assert found.error_bound.max() > 1e-5


def test_one_action_leaves_nothing_to_respond_with() -> None:
    rng = np.random.default_rng(0)
    base = model(0, actions=1)
    leader = reward_penalty(base, rng.normal(size=(4, 2)), rng.normal(size=(4, 2)))
    found = hypergradient(leader)
    assert (found.indirect == 0).all() and (found.direct != 0).all()


def test_shaping_by_a_potential_changes_no_response() -> None:
    """r_F + gamma_F E psi(s') - psi(s) leaves the follower's policy alone: indirect zero."""
    base, rng = model(5), np.random.default_rng(5)
    potentials = rng.normal(size=(4, 2))
    adds = 0.9 * (base.transitions @ potentials) - np.repeat(potentials, 3, axis=0)
    found = hypergradient(reward_penalty(base, adds))
    assert (np.abs(found.gradient) <= found.error_bound).all()
    moved = hypergradient(reward_penalty(base, adds + potentials[0, 0] * np.eye(12)[:, :2]))
    assert (np.abs(moved.gradient) > 1000 * moved.error_bound).any()


def test_a_potential_at_the_end_of_episodes_does_change_the_response() -> None:
    """Where an episode is over there is no value that could move along: psi has to be 0 there."""
    base = BilevelModel.of(
        [[1, 0], [0, 1], [0, 0], [0, 0]], [[0, 0], [0, 0]], [[1, 0], [0, 0]], temperature=1,
        follower_discount=0.9, leader_discount=0.9, initial=[1, 0], terminal=[False, True],
    )  # fmt: skip
    found = hypergradient(reward_penalty(base, [[0], [0.9], [0], [0]]), terms="indirect")
    assert found.gradient[0] < -0.8
    assert abs(hypergradient(reward_penalty(base, [[-0.1], [-1], [0], [0]])).indirect[0]) < 1e-9


@pytest.mark.filterwarnings("error")
def test_what_overflows_has_no_bound() -> None:
    base = model(5)
    leader = reward_penalty(base, np.eye(12)[:, :2])
    assert (hypergradient(leader, np.array([1e300, 0.0])).error_bound == np.inf).all()


def test_unreachable_states_weigh_nothing() -> None:
    base = model(6)
    kernel = base.transitions.toarray()
    kernel[:, 3] = 0
    kernel /= kernel.sum(axis=1, keepdims=True)
    cut = BilevelModel.of(
        kernel, base.follower_rewards, base.leader_rewards, temperature=0.4, follower_discount=0.9,
        leader_discount=0.7, initial=[0.5, 0.5, 0, 0],
    )  # fmt: skip
    adds = np.zeros((12, 2))
    adds[9:, 0], adds[0, 1] = 1, 1
    found = hypergradient(reward_penalty(cut, adds, adds))
    assert found.gradient[0] == 0 != found.gradient[1]


@pytest.mark.parametrize("local", [False, True])
def test_krylov_and_dense_agree(local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of 600 states by both, within the sum of their bounds; so does a factorisation."""
    base = random_model(600, 3, local=local, follower_discount=0.97)
    adds = sparse.random_array((1800, 5), density=0.02, rng=np.random.default_rng(0))
    krylov = hypergradient(reward_penalty(base, adds, adds))
    monkeypatch.setattr("holdfast.solvers.hypergradient.linear._PASSES", 0)
    sparse_factors = hypergradient(reward_penalty(base, adds, adds))
    monkeypatch.setattr("holdfast.solvers.hypergradient.models.DENSE_UP_TO", 600)
    dense = hypergradient(reward_penalty(base, adds, adds))
    for other in (sparse_factors, dense):
        distance = np.abs(krylov.gradient - other.gradient)
        assert (distance <= krylov.error_bound + other.error_bound).all()
        assert other.error_bound.max() < 1e-7


def test_a_rough_start_is_forgotten() -> None:
    base = model(8)
    one = solve_follower(base)
    two = solve_follower(base, start=np.array([50.0, -40, 0, 7]))
    assert np.abs(one.values - two.values).max() <= one.value_error + two.value_error
    assert one.value_error < 1e-14 and one.policy_error < 1e-14


@pytest.mark.parametrize("beta", [1e-3, 1.0, 1e3])
def test_temperatures_from_greedy_to_uniform(beta: float) -> None:
    """V = beta log sum_b exp(Q / beta) within its bound, in 140 bits, for the Q of the answer."""
    found = solve_follower(model(9, beta=beta))
    for values, own in zip(found.action_values, found.values, strict=True):
        with flint.ctx.workprec(140):
            total = sum(((arb(float(q)) / beta).exp() for q in values), arb(0))
            error = abs(beta * total.log() - arb(float(own)))
        assert error <= found.value_error + found.action_value_error


def test_four_rooms_has_narrow_bounds() -> None:
    found = hypergradient(four_rooms(0.001))
    assert found.error_bound.max() < 1e-7 < np.abs(found.gradient).min()


# -- bad input -------------------------------------------------------------------------------------
def test_terms_and_parameters_are_checked() -> None:
    leader = leaders(0)["linear"]
    with pytest.raises(ModelError, match="terms is 'both'"):
        hypergradient(leader, terms="both")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"parameters has shape \(2,\); the leader's are \(3,\)"):
        hypergradient(leader, np.zeros(2))
    with pytest.raises(ModelError, match=r"parameters\[1\] is nan"):
        hypergradient(leader, np.array([0, np.nan, 0]))


def test_a_deterministic_law_must_not_move() -> None:
    base = BilevelModel.of(
        np.eye(2)[[[1, 0], [0, 1]]], np.zeros((2, 2)), np.eye(2), temperature=1.0,
        follower_discount=0.5, leader_discount=0.5,
    )  # fmt: skip
    leader = CallableLeader(np.zeros(1), lambda _: base, lambda *w: w[3][:1])
    with pytest.raises(ModelError, match="the score of a deterministic transition is undefined"):
        hypergradient(leader)


def test_a_pull_back_without_a_derivative() -> None:
    base = model(0)
    for answer in (np.array([np.nan]), np.zeros(2)):
        leader = CallableLeader(np.zeros(1), lambda _: base, lambda *_, found=answer: found)
        with pytest.raises(ModelError, match=r"pull_back returned .* smooth leader"):
            hypergradient(leader)


def test_rewards_beyond_doubles() -> None:
    base = random_model(3, 2, successors=2)
    huge = BilevelModel.of(
        base.transitions, np.full((3, 2), 1e308), base.leader_rewards, temperature=1.0,
        follower_discount=0.99, leader_discount=0.5,
    )  # fmt: skip
    with pytest.raises(ModelError, match="values overflow: rewards reach 1e\\+308"):
        solve_follower(huge)
