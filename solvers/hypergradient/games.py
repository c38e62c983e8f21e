"""Markov games of a leader's stochastic policy and a soft follower, as bilevel models.

An observing follower sees the leader's action: its states are pairs (s, a), and the leader's policy
is in their transitions.  A simultaneous one does not: the policy is in its rewards too.  Both are
linear in the policy, and exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy import sparse

from ..errors import ModelError
from ..sequences import Array
from .adjoint import Hypergradient, Terms, hypergradient
from .checks import kind, reals, whole
from .leaders import AffineLeader, places
from .models import BilevelModel, Jacobians, Matrix
from .vectors import SoftmaxPolicy, Vector

Seen: TypeAlias = Literal["observing", "simultaneous"]


@dataclass(frozen=True)
class MarkovGame:
    """A game in n states of L actions of the leader and A of the follower.

    joint: its transitions and rewards, where action a A + b of `BilevelModel` is the pair (a, b).
    """

    joint: BilevelModel
    leader_actions: int

    def __post_init__(self) -> None:
        kind(self.joint, BilevelModel, "joint", "give a BilevelModel, or use MarkovGame.of")
        if self.joint.n_actions % whole(self.leader_actions, "leader_actions"):
            raise ModelError(
                f"leader_actions is {self.leader_actions}, which does not divide the "
                f"{self.joint.n_actions} actions of joint; these are pairs (a, b)"
            )

    @classmethod
    def of(
        cls, transitions: Any, follower_rewards: Any, leader_rewards: Any, *, temperature: float,
        follower_discount: float, leader_discount: float, initial: Any = None, terminal: Any = None,
    ) -> MarkovGame:  # fmt: skip
        """From transitions [n, L, A, n] and rewards [n, L, A]; see `BilevelModel.of`."""
        follower = reals(follower_rewards, "follower_rewards")
        if follower.ndim != 3 or not follower.size:
            raise ModelError(
                f"follower_rewards has shape {follower.shape}; a game has one entry for each "
                "state, action of the leader and action of the follower"
            )
        size, width = len(follower), follower[0].size
        law = reals(transitions, "transitions", (*follower.shape, size))
        joint = BilevelModel.of(
            law.reshape(size, width, size),
            follower.reshape(size, width),
            reals(leader_rewards, "leader_rewards", follower.shape).reshape(size, -1),
            temperature=temperature,
            follower_discount=follower_discount,
            leader_discount=leader_discount,
            initial=initial,
            terminal=terminal,
        )
        return cls(joint, follower.shape[1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """n, L, A."""
        return self.joint.n_states, self.leader_actions, self.joint.n_actions // self.leader_actions


def game_leader(
    game: MarkovGame,
    policy: Vector,
    *,
    follower: Seen = "observing",
) -> AffineLeader:
    """The bilevel problem of a game; its parameters are those of the leader's policy.

    policy: `SoftmaxPolicy` with logits [n, L], or another `Vector` of n L positive probabilities.
    In the model of an observing follower, state s L + a is the pair (s, a).
    Raises ModelError if the policy is of another size, or leaves an action out.
    """
    kind(game, MarkovGame, "game", "give a MarkovGame")
    if not (hasattr(policy, "parameters") and callable(getattr(policy, "values", None))):
        raise ModelError(
            f"policy is {policy!r:.60}; give a SoftmaxPolicy with logits {game.shape[:2]}, or "
            "another vector with parameters, values, pull_back and jacobian"
        )
    size, width, _ = game.shape
    shares = policy.values(policy.parameters)
    if shares.shape != (size * width,):
        raise ModelError(
            f"the leader's policy has {shares.size} probabilities; {size} states with {width} "
            f"actions of the leader need {size * width}"
        )
    if not (shares > 0).all():
        place = divmod(int(np.argmin(shares > 0)), width)
        raise ModelError(
            f"the leader's probability of action {place[1]} in state {place[0]} is "
            f"{shares.reshape(size, width)[place]}; it must be positive, or its score is "
            "undefined. Keep logits within a few hundred of each other"
        )
    if follower not in ("observing", "simultaneous"):
        raise ModelError(f'follower is {follower!r}; it is "observing" or "simultaneous"')
    build = _observing if follower == "observing" else _simultaneous
    base, maps = build(game, shares)
    groups = np.repeat(np.arange(size), width) if follower == "observing" else None
    return AffineLeader(base, policy, maps, groups)


def game_hypergradient(
    game: MarkovGame,
    policy: Vector | None = None,
    parameters: Array | None = None,
    *,
    follower: Seen = "observing",
    terms: Terms = "all",
) -> Hypergradient:
    """The gradient of the leader's objective in its policy's parameters (BC-T5).

    policy: default the uniform `SoftmaxPolicy`.
    """
    kind(game, MarkovGame, "game", "give a MarkovGame")
    if policy is None:
        policy = SoftmaxPolicy(np.zeros(game.shape[:2]))
    return hypergradient(game_leader(game, policy, follower=follower), parameters, terms=terms)


def _observing(game: MarkovGame, shares: Array) -> tuple[BilevelModel, Jacobians]:
    size, width, actions = game.shape
    joint, kernel = game.joint, game.joint.transitions
    pairs = (kernel.indices.astype(np.int64)[:, None] * width + np.arange(width)).ravel()
    arrivals = sparse.csr_array(
        (np.repeat(kernel.data, width), pairs, np.arange(len(pairs) + 1)),
        shape=(len(pairs), size * width),
    )
    start = sparse.diags_array(np.repeat(joint.initial, width), format="csr")
    shape = (size * width * actions, size * width)
    base = replace(
        joint,
        transitions=_stored(arrivals @ shares, pairs, kernel.indptr * width, shape),
        follower_rewards=joint.follower_rewards.reshape(-1, actions),
        leader_rewards=joint.leader_rewards.reshape(-1, actions),
        initial=start @ shares,
        terminal=np.repeat(joint.terminal, width),
    )
    return base, Jacobians(None, None, arrivals, start)


def _simultaneous(game: MarkovGame, shares: Array) -> tuple[BilevelModel, Jacobians]:
    size, width, actions = game.shape
    joint, kernel = game.joint, game.joint.transitions
    state, leads, acts = np.unravel_index(joint.cells, (size, width, actions))
    row, column = state * actions + acts, state * width + leads
    ones = sparse.csr_array((np.ones(kernel.nnz), (row, kernel.indices)), (size * actions, size))
    ones.sum_duplicates()
    at = places(ones, row, kernel.indices)
    arrivals = sparse.csr_array((kernel.data, (at, column)), shape=(ones.nnz, size * width))
    follower, leader = (
        _averaged(each.reshape(game.shape))
        for each in (joint.follower_rewards, joint.leader_rewards)
    )
    zero = np.zeros((size, actions))
    base = replace(
        joint,
        transitions=_stored(arrivals @ shares, ones.indices, ones.indptr, ones.shape),
        follower_rewards=zero,
        leader_rewards=zero,
    )
    return base, Jacobians(follower, leader, arrivals, None)


def _averaged(rewards: Array) -> Matrix:
    """csr_array [n A, n L] that takes a policy to the mean over the leader's actions."""
    size, width, actions = rewards.shape
    blocks = rewards.swapaxes(1, 2).ravel()
    state = np.repeat(np.arange(size), width * actions)
    columns = state * width + np.tile(np.arange(width), size * actions)
    starts = np.arange(0, blocks.size + 1, width)
    return sparse.csr_array((blocks, columns, starts), shape=(size * actions, size * width))


def _stored(data: Array, indices: Array, starts: Array, shape: tuple[int, int]) -> Matrix:
    return sparse.csr_array((data, indices, starts), shape=shape)
