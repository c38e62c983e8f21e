"""Games of OpenSpiel with two players who move at once, enumerated to Markov games.

A state is what the game prints of it, so that the number of moves until the game is cut off is left
out where the game does not print it.  Whether the printed text is enough is checked: a state that
is reached on a second way must have the same actions, payoffs and successors there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain, product
from typing import Any

import numpy as np
from scipy import sparse

from ..errors import ModelError
from .checks import whole
from .games import MarkovGame
from .models import BilevelModel

Row = dict[str, tuple[float, float, float]]
"""Printed text of a next state -> its probability, and the expected payoffs on the way there."""

_ROUNDING = 1e-9
"""By which sums of payoffs along two ways to one state may differ."""


def open_spiel_game(
    name: str, *, temperature: float, follower_discount: float = 0.9, leader_discount: float = 0.9,
    leader: int = 0, limit: int = 20_000,
) -> tuple[MarkovGame, list[str]]:  # fmt: skip
    """The game as a leader and a soft follower play it, and what is printed of each state.

    Args:
        name: as OpenSpiel has it, such as "markov_soccer" or "laser_tag(horizon=50)".
        leader: which player leads, 0 or 1; the other is the follower.
        limit: states that are enumerated at most.

    Raises ModelError without the package open_spiel, for a game that it does not know or that is
    not of two players who move at once and see everything, for players whose actions depend on the
    state, for a state that does not print all that matters, and beyond the limit.
    """
    if leader not in (0, 1):
        raise ModelError(f"leader is {leader!r}; the players are 0 and 1")
    found = _Enumeration(_load(name), name, whole(limit, "limit"))
    game = _game(found, leader, temperature, follower_discount, leader_discount)
    return game, list(found.numbers)


def _load(name: str) -> Any:
    try:
        import pyspiel
    except ImportError:
        raise ModelError("this needs OpenSpiel: pip install 'holdfast[games]'") from None
    try:
        game = pyspiel.load_game(name)
    except pyspiel.SpielError as error:
        raise ModelError(f"OpenSpiel has no game {name!r}: {str(error).splitlines()[0]}") from None
    kind, types = game.get_type(), pyspiel.GameType
    together = kind.dynamics == types.Dynamics.SIMULTANEOUS
    seen = kind.information in (types.Information.PERFECT_INFORMATION, types.Information.ONE_SHOT)
    if game.num_players() != 2 or not together or not seen:
        raise ModelError(
            f"{name} is no game of two players who move at once and see everything, such as "
            "markov_soccer, laser_tag or matrix_pd"
        )
    return game


class _Enumeration:
    """States in the order of discovery, and a row for each pair of actions of each."""

    def __init__(self, game: Any, name: str, limit: int) -> None:
        self.name, self.limit = name, limit
        self.numbers: dict[str, int] = {}
        self.rows: dict[str, list[Row]] = {}
        self.actions: tuple[list[int], list[int]] | None = None
        # Breadth first, so that no way is long enough for the game to be cut off.
        self._waiting: deque[tuple[str, Any]] = deque()
        self._seen_twice: set[str] = set()
        self.start: dict[str, float] = {}
        for text, state, chance in _settled(game.new_initial_state(), 1.0):
            self.start[text] = self.start.get(text, 0.0) + chance
            self._found(text, state)
        while self._waiting:
            self._expand(*self._waiting.popleft())

    def _found(self, text: str, state: Any) -> None:
        if text not in self.numbers:
            self.numbers[text] = len(self.numbers)
            if len(self.numbers) > self.limit:
                raise ModelError(
                    f"{self.name} has more than limit = {self.limit} states; give a smaller game"
                )
        elif text in self._seen_twice:
            return
        else:
            self._seen_twice.add(text)
        self._waiting.append((text, state))

    def _expand(self, text: str, state: Any) -> None:
        rows = [] if state.is_terminal() else self._rows(text, state)
        if not _same(self.rows.setdefault(text, rows), rows):
            raise ModelError(
                f"{self.name} does not print all that matters of a state: {text[:120]!r} goes on "
                "in two ways"
            )

    def _rows(self, text: str, state: Any) -> list[Row]:
        legal = state.legal_actions(0), state.legal_actions(1)
        self.actions = self.actions or legal
        if legal != self.actions:
            raise ModelError(
                f"{self.name} has {_counts(self.actions)} actions at the start and "
                f"{_counts(legal)} in {text[:120]!r}, or others; only games with the same actions "
                "in every state are taken"
            )
        before, rows = state.returns(), []
        for pair in product(*legal):
            child: Any = state.clone()
            row: Row = {}
            child.apply_actions(pair)
            for after, reached, chance in _settled(child, 1.0):
                old, paid = row.get(after, (0.0, 0.0, 0.0)), reached.returns()
                row[after] = (
                    old[0] + chance,
                    old[1] + chance * (paid[0] - before[0]),
                    old[2] + chance * (paid[1] - before[1]),
                )
                self._found(after, reached)
            rows.append(row)
        return rows


def _counts(actions: tuple[list[int], list[int]]) -> str:
    return " and ".join(str(len(each)) for each in actions)


def _settled(state: Any, chance: float) -> Iterator[tuple[str, Any, float]]:
    """The states after all moves of chance: what each prints, itself, its probability."""
    if not state.is_chance_node():
        yield str(state), state, chance
        return
    for move, share in state.chance_outcomes():
        yield from _settled(state.child(move), chance * share)


def _same(one: list[Row], other: list[Row]) -> bool:
    return len(one) == len(other) and all(
        a.keys() == b.keys() and all(map(_near, chain(*a.values()), chain(*(b[key] for key in a))))
        for a, b in zip(one, other, strict=True)
    )


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= _ROUNDING * max(1.0, abs(a))


def _game(found: _Enumeration, leader: int, warmth: float, *discounts: float) -> MarkovGame:
    if found.actions is None:
        raise ModelError("the game is over before anybody has moved")
    widths = len(found.actions[0]), len(found.actions[1])
    size, width = len(found.numbers), widths[0] * widths[1]
    # rows are of pairs (action of player 0, action of player 1); those of BilevelModel of (leader,
    # follower)
    pairs = np.arange(width).reshape(widths)
    order = (pairs if leader == 0 else pairs.T).ravel()
    rewards, terminal = np.zeros((2, size, width)), np.zeros(size, bool)
    cells, columns, shares = [], [], []
    for text, number in found.numbers.items():
        terminal[number] = not found.rows[text]
        for at, source in enumerate(order if found.rows[text] else ()):
            for after, (chance, *paid) in found.rows[text][source].items():
                cells.append(number * width + at)
                columns.append(found.numbers[after])
                shares.append(chance)
                rewards[:, number, at] += paid
    law = sparse.csr_array((shares, (cells, columns)), shape=(size * width, size))
    start = np.zeros(size)
    for text, chance in found.start.items():
        start[found.numbers[text]] = chance
    joint = BilevelModel.of(
        law, rewards[1 - leader], rewards[leader], temperature=warmth, initial=start,
        follower_discount=discounts[0], leader_discount=discounts[1], terminal=terminal,
    )  # fmt: skip
    return MarkovGame(joint, widths[leader])
