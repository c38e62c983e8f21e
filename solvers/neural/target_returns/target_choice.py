"""Which return a multi-game transformer is asked for: four rules, compared on fresh episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...errors import ModelError
from ...sequences import Array
from ...target_returns.experts.counts import count_returns, expert_rates, top_share
from ...target_returns.experts.targets import confusion_counts, posterior
from ..parts.checkpoints import named
from ..parts.evaluation import Words, fresh_seeds
from .discrete import ReturnTransformer, Steps
from .games import Library, copies

RULES = {
    "mtro": "prediction corrected by the data, tilted by the data's share of experts",
    "by hand": "prediction tilted by exp(10 R/R_high), one R_high for all games",
    "by hand, each game": "the same with the best recorded return of each game as R_high",
    "untilted": "the prediction as it is",
}
KAPPA = 10.0
"""Of Lee et al. 2022, as recalled; 0 is no tilt, and a large one asks for the largest return."""
_JUDGED = 2000
"""Recorded steps a game on which the prediction is compared with what followed: more narrow the
rows of seldom predicted bins, and cost a forward pass each."""


@dataclass(frozen=True, eq=False)
class Tables:
    """What the data of one game say.

    posterior: float64[bins, bins], recorded return given the predicted bin; rates: float64[bins],
    share of experts by return; returns: float64[E], of the recorded episodes.
    """

    posterior: Array
    rates: Array
    returns: Array


def tables_of(network: ReturnTransformer, data: Library, which: int, share: float) -> Tables:
    """Counted on the data of one game; experts are the best `share` of its episodes."""
    one = data.played[which]
    expert = np.repeat(top_share(one.returns.tolist(), share), np.diff(one.ends, prepend=0))
    counts = count_returns(one.to_go.tolist(), expert.tolist(), limits=(0, data.bins - 1))
    stream = np.random.Generator(np.random.Philox(key=which))
    seen = data.windows(which, stream.integers(0, len(one.actions), _JUDGED))
    with torch.no_grad():
        guesses = network(seen)[0][:, -1].argmax(dim=-1).tolist()
    rows = posterior(confusion_counts(guesses, seen.returns[:, -1].tolist(), data.bins))
    return Tables(np.array(rows, float), np.array(expert_rates(counts), float), one.returns)


def asked(rule: str, predictions: Array, tables: Tables) -> Array:
    """float64[n, bins], the law of the return to ask for, from predicted laws.

    Where a tilt leaves nothing, the law that it should have tilted.  Raises ModelError for an
    unknown rule.
    """
    if rule not in RULES:
        raise ModelError(f"no rule is called {rule!r}; there are {', '.join(RULES)}")
    bins = predictions.shape[1]
    laws, weights = predictions, np.ones(bins)
    if rule == "mtro":
        laws, weights = predictions @ tables.posterior, tables.rates
    elif rule != "untilted":
        high = float(tables.returns.max()) if rule == "by hand, each game" else bins - 1.0
        slopes = KAPPA * np.arange(bins) / max(high, 1.0)
        weights = np.exp(slopes - slopes.max())
    tilted = laws * weights
    tilted = np.where(tilted.sum(axis=1, keepdims=True) > 0, tilted, laws)
    return tilted / tilted.sum(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class MultiGame:
    """A transformer of several games, with the tables of each."""

    network: ReturnTransformer
    games: tuple[str, ...]
    tables: Sequence[Tables]

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All that is saved."""
        found = named("network", self.network.state_dict())
        for g, one in enumerate(self.tables):
            found |= named(f"table{g}", {k: torch.from_numpy(v) for k, v in vars(one).items()})
        return found

    def fresh_returns(self, which: int, rule: str, episodes: int, words: Words) -> Array:
        """float64[episodes], UN-normalised returns of fresh episodes of one game.

        words: what names the episodes; the same words give the same.  Return and action are drawn
        anew in each step.
        """
        (seed,) = fresh_seeds(self.games[which], words, 1)
        seed %= 2**31  # which the games take; those of training are small
        env, stream = copies(self.games[which], episodes, seed), torch.Generator().manual_seed(seed)
        seen, total, going = self._blank(which, episodes), np.zeros(episodes), np.ones(episodes)
        observed = env.reset()
        with torch.no_grad():
            while going.any():
                _push(seen, np.asarray(observed))
                predictions = self.network(seen)[0][:, -1].double().softmax(dim=-1).numpy()
                told = torch.from_numpy(asked(rule, predictions, self.tables[which]))
                seen.returns[:, -1:] = told.multinomial(1, generator=stream)
                laws = self.network(seen)[1][:, -1].double().softmax(dim=-1)
                actions = laws.multinomial(1, generator=stream)[:, 0]
                seen.actions[:, -1] = actions
                observed, rewards, done, _ = env.step(actions.numpy())
                total += going * rewards
                going *= ~done
        env.close()
        return total

    def _blank(self, which: int, n: int) -> Steps:
        """Windows of episodes that have not begun."""
        context, size = self.network.shape
        returns, actions, games, times = (torch.full((n, context), k) for k in (0, 0, which, 0))
        there = torch.zeros(n, context, dtype=torch.bool)
        states = torch.zeros(n, context, size)
        return Steps(states, returns, actions, games, times, there)


def _push(seen: Steps, observed: Array) -> None:
    """Move the windows on by one step, in place; copies that have ended go on unheeded."""
    times = seen.times[:, -1] + seen.there[:, -1]
    for part in seen.tensors:
        part[:, :-1] = part[:, 1:].clone()
    seen.states[:, -1] = 0
    seen.states[:, -1, : observed.shape[1]] = torch.from_numpy(observed.astype(np.float32))
    seen.times[:, -1] = times
    seen.there[:, -1] = True
