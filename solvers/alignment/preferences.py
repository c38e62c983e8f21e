"""Preferences between responses, and the policies that losses on them lead to, on tables.

`wins` [Y, Y] holds for one prompt how often, or how much of a population, preferred the row's
response to the column's.  Responses that are compared, directly or by way of others, form a
component; a loss on preferences says nothing of mass across components, and here each keeps that
of the reference.  Log-ratios are log(policy/reference).
"""

from __future__ import annotations

from typing import Any

import flint
import numpy as np

from ..errors import ModelError
from ..hypergradient.balls import elementwise, number, solve
from ..sequences import Array
from .checks import check_kind, check_temperature, laws, real, reals, same_kind
from .problems import as_printed
from .tilts import beside, ready, weighted

_MOST_STEPS = 100
"""Newton's steps, damped; a table of 50 responses that are compared a thousand times takes 10."""
_SETTLED = 1e-12
"""The largest step of a log-ratio at which floats have converged; rounding stays below it."""
_FLOAT_BITS = 40
"""Bits that the floats are good for, less some for scores that comparisons hardly tell apart."""
_FULL = "no log-ratio to it is finite"
_LARGEST = 709.0
"""A logarithm whose exponential is a double."""
_NEAR = flint.arb(1) / 8
"""A radius around the last iterate in which curvature falls by e^(-1/4) at most."""


def bradley_terry(rewards: Array) -> Array:
    """P(row is preferred to column) = sigmoid(r - r'), [Y, Y], in floats or balls.

    Raises ModelError for rewards that are not finite.
    """
    gains = ready(reals(rewards, "rewards", axes=1))
    far = gains[None, :] - gains[:, None]
    if far.dtype != object:  # beyond the doubles a chance is 0 all the same
        far = np.minimum(far, _LARGEST)
    found: Array = 1 / (1 + np.exp(far))
    return found


def population_wins(rewards: Array, weights: Array) -> Array:
    """What a Bradley-Terry population prefers: weights [Y, Y], symmetric, times probabilities.

    Raises ModelError for weights that are negative, not finite or not symmetric, and other shapes.
    """
    weights = check_wins(weights, "weights")
    rewards = reals(rewards, "rewards", shape=weights.shape[:1])
    same_kind({"rewards": rewards, "weights": weights})
    if (weights != weights.T).any():
        raise ModelError("weights of pairs are not symmetric; a pair is drawn in either order")
    found: Array = ready(weights) * bradley_terry(rewards)
    return found


def sampled_wins(rewards: Array, counts: Array, generator: np.random.Generator) -> Array:
    """Bradley-Terry labels of counts [Y, Y] comparisons; pairs y < y' count.

    Raises ModelError for counts that are no integers of at least 0, and other shapes.
    """
    found = check_wins(counts, "counts")
    rewards = reals(rewards, "rewards", shape=found.shape[:1])
    check_kind(generator, "generator", np.random.Generator, "give numpy.random.default_rng(seed)")
    for at in zip(*np.triu_indices(len(found), 1), strict=True):
        if found[at] != int(found[at]):
            raise ModelError(f"counts{[int(i) for i in at]} is {found[at]}; give a whole number")
    upper = np.triu(found, 1).astype(int)
    first = generator.binomial(upper, np.triu(bradley_terry(np.asarray(rewards, float)), 1))
    wins: Array = first + (upper - first).T
    return wins


def check_wins(wins: Any, name: str = "wins") -> Array:
    """A square of finite numbers that are not negative; ModelError for anything else."""
    found = reals(wins, name, least=0)
    if found.ndim != 2 or found.shape[0] != found.shape[1]:
        raise ModelError(f"{name} has shape {found.shape}; give a row and a column a response")
    return found


def components(wins: Array) -> list[list[int]]:
    """The responses of each component of the comparison graph, in order.

    Raises ModelError unless wins is a square of numbers that are not negative.
    """
    import networkx as nx

    wins = check_wins(wins)
    graph = nx.from_numpy_array(((wins != 0) | (wins.T != 0)).astype(int))
    return sorted(map(sorted, nx.connected_components(graph)))


def check_separable(wins: Array) -> None:
    """Raises ModelError where some responses won all comparisons with the others.

    Log-ratios then grow without bound (Ford 1957).
    """
    import networkx as nx

    graph = nx.from_numpy_array((wins != 0).astype(int), create_using=nx.DiGraph)
    groups = {y: c for c in nx.strongly_connected_components(graph) for y in c}
    for winner, loser in graph.edges:
        if groups[winner] is not groups[loser]:
            raise ModelError(
                f"wins[{winner}, {loser}] is {wins[winner, loser]} and wins[{loser}, {winner}] is "
                f"0: responses {sorted(groups[winner])} were preferred to {sorted(groups[loser])} "
                "in every comparison, so that no policy is best; compare them more often, or count "
                "half a win more for each side"
            )


def _grounded(wins: Array) -> tuple[Array, Array]:
    """Which of the responses move [k], all but the first of each component, and the index of the
    first for each."""
    firsts = np.zeros(len(wins), dtype=int)
    for group in components(wins):
        firsts[group] = group[0]
    return np.flatnonzero(firsts != np.arange(len(wins))), firsts


def _derivatives(wins: Array, h: Array, moving: Array) -> tuple[Array, Array]:
    """Gradient [k] and Hessian [k, k] of -sum wins log sigmoid(h - h')."""
    chance = 1 / (1 + np.exp(h[None, :] - h[:, None]))
    pull = wins * chance.T  # 1 - chance, without cancellation
    curvature = (wins + wins.T) * chance * chance.T
    hessian = np.diag(curvature.sum(axis=1)) - curvature
    return (pull.sum(axis=0) - pull.sum(axis=1))[moving], hessian[np.ix_(moving, moving)]


def _log_odds(wins: Array) -> Array:
    """The scores h [Y] that minimise the logistic loss, in floats; 0 for each first response."""
    moving, _ = _grounded(wins)
    h = np.zeros(len(wins))
    for _ in range(_MOST_STEPS):
        gradient, hessian = _derivatives(wins, h, moving)
        if not moving.size:
            return h
        step = np.linalg.solve(hessian, gradient)
        step = step / max(1.0, abs(step).max())  # self-concordant: short steps stay safe
        h[moving] -= step
        if abs(step).max() < _SETTLED * (1 + abs(h).max()):
            return h
    winner, loser = max(
        zip(*np.nonzero(wins * wins.T), strict=True), key=lambda at: wins[at] / wins[at[::-1]]
    )
    raise ModelError(
        f"wins[{winner}, {loser}] is {wins[winner, loser]} and wins[{loser}, {winner}] is "
        f"{wins[loser, winner]}: the loss did not settle in {_MOST_STEPS} steps, its last was "
        f"{abs(step).max():.1e}; count half a win more for each side, or give Fractions"
    )


def enclose_log_odds(wins: Array) -> Array:
    """The same scores as balls: strict convexity near the last iterate bounds its error."""
    check_separable(wins)
    try:
        rough = np.vectorize(float, otypes=[float])(wins)
    except OverflowError as problem:
        raise ModelError("wins holds a number beyond the doubles; divide all by it") from problem
    exact, (moving, _) = elementwise(number, wins), _grounded(wins)
    h = elementwise(flint.arb, _log_odds(rough))
    if not moving.size:
        return h
    for _ in range((flint.ctx.prec // _FLOAT_BITS).bit_length()):  # each doubles the bits
        gradient, hessian = _derivatives(exact, h, moving)
        step = solve(hessian, gradient)
        h[moving] = elementwise(lambda one: one.mid(), h[moving] - step)
    gradient, hessian = _derivatives(exact, h, moving)
    unit = np.eye(len(moving), dtype=int).astype(object)
    inverse = np.array([solve(hessian, column) for column in unit])
    size = abs(inverse).sum() * abs(gradient).sum()  # at least the product of Euclidean norms
    error = size * (2 * _NEAR).exp()
    if not error < _NEAR:
        raise ModelError(
            f"no enclosure of the scores was found in {flint.ctx.prec} bits; take more"
        )
    h[moving] = elementwise(lambda one: one + flint.arb(0, error.upper()), h[moving])
    return h


def _policy(log_ratios: Array, reference: Array, wins: Array) -> Array:
    """reference e^log_ratio, each component with the mass that it has in the reference."""
    found = ready(reference) * 0
    for group in components(wins):
        share = ready(reference[group]).sum()
        found[group] = weighted(reference[None, group], log_ratios[None, group], 1)[0] * share
    return found


def _check(wins: Any, reference: Any, temperature: Any) -> tuple[Array, Array]:
    found = check_wins(wins)
    check_temperature(temperature)
    law = laws(reference, "reference", shape=found.shape[:1], full=_FULL)
    same_kind({"wins": found, "reference": law})
    return found, law


def dpo(wins: Array, reference: Array, temperature: Any) -> Array:
    """The policy [Y] that minimises -sum wins log sigmoid(temperature (difference of log-ratios)).

    wins: a table of floats, or of Fractions and arbs, for which the policy is enclosed in balls.
    Raises ModelError where no policy is best (`check_separable`), for a reference that is no law or
    leaves responses out, and for other shapes or numbers.
    """
    wins, reference = _check(wins, reference, temperature)
    if wins.dtype == object:
        return _policy(enclose_log_odds(wins) / beside(wins, temperature), reference, wins)
    check_separable(wins)
    return _policy(_log_odds(wins.astype(float)) / float(temperature), reference, wins)


def dpo_loss(wins: Array, policy: Array, reference: Array, temperature: Any) -> Any:
    """-sum wins log sigmoid(temperature (difference of log-ratios)).

    Raises ModelError as `dpo` does, and for a policy that is no law or leaves responses out.
    """
    wins, reference = _check(wins, reference, temperature)
    policy = laws(policy, "policy", shape=reference.shape, full="its log-ratio is infinite")
    same_kind({"wins": wins, "policy": policy})
    h = beside(policy, temperature) * np.log(ready(policy) / ready(reference))
    return (ready(wins) * np.log(1 + np.exp(h[None, :] - h[:, None]))).sum()


def ipo_log_ratios(wins: Array, temperature: Any) -> Array:
    """Log-ratios [Y] that minimise sum wins (difference - 1/(2 temperature))^2, 0 for the first
    response of each component; rationals of rationals.  A minimum always exists.

    Raises ModelError for wins that are no square of numbers of at least 0, or a temperature that is
    not positive.
    """
    wins = check_wins(wins)
    check_temperature(temperature)
    if wins.dtype == object and isinstance(temperature, float):
        temperature = as_printed(temperature, "temperature")
    moving, _ = _grounded(wins)
    pairs = wins + wins.T
    laplacian = (np.diag(pairs.sum(axis=1)) - pairs)[np.ix_(moving, moving)]
    found = wins.sum(axis=1) * 0
    net = (wins.sum(axis=1) - wins.sum(axis=0))[moving] / (2 * temperature)
    found[moving] = solve(laplacian, net)
    return found


def ipo(wins: Array, reference: Array, temperature: Any) -> Array:
    """The policy [Y] of these log-ratios, in floats or balls.  Raises ModelError as `dpo` does."""
    wins, reference = _check(wins, reference, temperature)
    return _policy(ready(ipo_log_ratios(wins, temperature)), reference, wins)


def kto_loss(
    desirable: Array,
    undesirable: Array,
    policy: Array,
    reference: Array,
    temperature: Any,
    baseline: Any = 0,
) -> Any:
    """sum desirable (1 - sigmoid(h - baseline)) + undesirable (1 - sigmoid(baseline - h)), where
    h = temperature log(policy/reference) and labels [Y] carry their weights.

    The baseline is detached, as in KTO: a number that no derivative sees.

    Raises ModelError for a policy that is no law, a reference that leaves responses out, negative
    labels, other shapes, or a temperature that is not positive.
    """
    check_temperature(temperature)
    real(baseline, "baseline")
    policy = laws(policy, "policy", axes=1)
    reference = laws(reference, "reference", shape=policy.shape, full=_FULL)
    desirable = reals(desirable, "desirable", shape=policy.shape, least=0)
    undesirable = reals(undesirable, "undesirable", shape=policy.shape, least=0)
    same_kind({"policy": policy, "reference": reference, "desirable": desirable,
               "undesirable": undesirable})  # fmt: skip
    odds = (ready(policy) / ready(reference)) ** beside(policy, temperature)
    level = np.exp(np.array([beside(policy, baseline)]))
    chance = odds / (odds + level)
    return (ready(desirable) * (1 - chance) + ready(undesirable) * chance).sum()


def kto(
    desirable: Array, undesirable: Array, reference: Array, temperature: float, baseline: float = 0
) -> Array:
    """The policy [Y] that minimises `kto_loss` in floats, for a temperature of at most 1.

    Responses that are undesirable on balance get no mass; for the others the loss is convex in the
    policy, and one number, the price of mass, decides.  Raises ModelError for higher temperatures,
    where it is not, where nothing is desirable on balance, and as `kto_loss` does.
    """
    check_temperature(temperature)
    if temperature > 1:
        raise ModelError(f"temperature is {temperature}; KTO's loss is convex for at most 1")
    real(baseline, "baseline", least=-_LARGEST, most=_LARGEST)
    reference = laws(reference, "reference", axes=1, full=_FULL).astype(float)
    labels = [
        reals(one, name, shape=reference.shape, least=0).astype(float)
        for one, name in ((desirable, "desirable"), (undesirable, "undesirable"))
    ]
    temperature, gains = float(temperature), np.maximum(labels[0] - labels[1], 0)
    if not gains.any():
        raise ModelError("no response is desirable on balance: the loss has no minimum in policies")
    level = np.exp(float(baseline))

    def masses(price: float) -> Array:
        low, high = np.full(len(gains), -700.0), np.full(len(gains), 700.0)
        for _ in range(_MOST_STEPS):
            middle = (low + high) / 2
            odds = np.exp(np.minimum(temperature * middle, 700))
            worth = gains * temperature * odds * level / (odds + level) ** 2 / np.exp(middle)
            above = worth > price * reference
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        found: Array = np.where(gains > 0, reference * np.exp(low), 0)
        return found

    low, high = -700.0, 700.0
    for _ in range(_MOST_STEPS):
        middle = (low + high) / 2
        more = masses(float(np.exp(middle))).sum() > 1
        low, high = (middle, high) if more else (low, middle)
    found = masses(float(np.exp(high)))
    return found / found.sum()
