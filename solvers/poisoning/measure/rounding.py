"""Whole rows in place of fractional labels, chosen jointly: which few flips teach most nearly what
the attack teaches.

Labels are multiples of 1 / m, m the number of copies of each pair.  Near the reward r that is
learnt from the attack's labels, labels x teach, to first order, r + H^-1 d, where d is by how much
their moments differ and H the Hessian of the ridge loss at r.  What is made small is d' H^-1 d, the
square of this distance in the metric of the loss itself.  Rounding each label alone leaves the
errors as they fall; together they can cancel.
"""

from __future__ import annotations

import math

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ..rewards.learning import fit_reward
from ..rewards.loss_passes import Loss

LARGEST = 10**8
"""Entries of the features, of which the search needs a copy, 0.8 GB."""
_SHORT = 64
"""Steps of each direction of which all pairs are tried."""
_DRAWN = 10**9
"""Rows from which numpy does not draw."""
_NONE = 1e-9
"""Share that counts as nothing: of a step, an eigenvalue, a row."""
_ROWS = 200
"""Up to so many rows the search also begins with none, which takes a step for each."""
_WORK = 10**10
"""Numbers that a search passes over, some ten seconds: for large data it stops early."""


def to_copies(labels: Array, benign: Array, copies: int) -> Array:
    """The nearest multiples of 1 / copies (N); a tie goes to the side of the benign label.

    Raises ModelError for fewer than one copy, and naming the first benign label that is no
    multiple.
    """
    if copies < 1:
        raise ModelError(f"copies is {copies}; a pair needs at least one")
    steps = benign * copies
    broken = np.flatnonzero(np.abs(steps - np.round(steps)) > 1e-9 * copies)
    if len(broken):
        i = int(broken[0])
        raise ModelError(
            f"the benign label of pair {i + 1} is {benign[i]:g}, no multiple of 1/{copies}; choose "
            "a number of copies that all labels divide into"
        )
    values = labels * copies
    below = np.floor(values)
    rest = values - below
    up = (rest > 0.5) | ((rest == 0.5) & (steps > values))
    nearest: Array = (below + up) / copies
    return nearest


def rounded_jointly(
    features: Array,
    labels: Array,
    benign: Array,
    target: Array,
    weights: Array | None,
    *,
    copies: int,
    ridge: float,
) -> Array:
    """Multiples of 1 / copies (N) with nearly the effect of the target, in few rows.

    labels: cheap labels with the target's moments; at most sum abs(labels - benign) * copies rows,
    rounded up, are flipped.  From the nearest multiples on, and from the benign labels, single
    steps of a label and pairs of steps are made as long as they bring the reward nearer; no better
    labels are ruled out.  Features of more than `LARGEST` entries are not searched: the nearest
    multiples are returned.

    Raises ModelError as `to_copies` does.
    """
    nearest = to_copies(labels, benign, copies)
    if features.size > LARGEST:
        return nearest
    most = math.ceil(copies * float(np.abs(labels - benign).sum()) - _NONE)
    sides = _whitened(features, target, weights, ridge) / copies
    goal, rows = copies * target, np.round(copies * np.stack([nearest, benign]))
    begins = rows if most <= _ROWS else rows[:1]
    tried = [_searched(sides, goal, rows[1], begun, most, copies) for begun in begins]
    return min(tried, key=lambda now: float(((sides @ (now - goal)) ** 2).sum())) / copies


def _searched(
    sides: Array, goal: Array, start: Array, begun: Array, most: int, copies: int
) -> Array:
    """Rows (N) from those begun with, changed while that brings them nearer to the goal."""
    now = begun.copy()
    error, squares = sides @ (now - goal), np.einsum("ij,ij->j", sides, sides)
    for _ in range(min(_ROWS + 10 * len(sides), 10 + _WORK // sides.size)):
        slopes = 2 * (error @ sides)
        gains = np.stack([squares + slopes, squares - slopes])
        outwards = np.stack([now >= start, now <= start])
        allowed = np.stack([now < copies, now > 0])
        spare = most - round(float(np.abs(now - start).sum()))
        moves = _moves(sides, gains, allowed & outwards, allowed & ~outwards, spare)
        if not len(moves):
            break
        for sign, i in moves:
            now[i] += 1 - 2 * sign
            error += (1 - 2 * sign) * sides[:, i]
    return now


def _moves(sides: Array, gains: Array, away: Array, back: Array, spare: int) -> Array:
    """The best step or pair of steps as (sign, label), sign 0 for up and 1 for down; none is left
    where this has no rows.

    gains: by what a step changes the square of the error (2, N); away, back: which steps are
    allowed that add a row to those that are flipped, and that take one (2, N); spare: rows to add.
    """
    out, home = (_least(gains, where) for where in (away, back))
    if spare < 0:
        return home[:1]
    found = [home[:1], out[: 1 if spare else 0]]
    values = [float(gains[tuple(one.T)].sum()) for one in found]
    if len(out) and len(home):
        signed = [sides[:, one[:, 1]] * (1 - 2 * one[:, 0]) for one in (home, out)]
        both = gains[tuple(home.T)][:, None] + gains[tuple(out.T)] + 2 * signed[0].T @ signed[1]
        j, k = np.unravel_index(int(both.argmin()), both.shape)
        found.append(np.stack([home[j], out[k]]))
        values.append(float(both[j, k]))
    best = int(np.argmin(values))
    return found[best] if values[best] < -_NONE * gains.max() else home[:0]


def _least(gains: Array, where: Array) -> Array:
    """The places (k, 2) of the least gains, least first."""
    places = np.argwhere(where)
    values = gains[where]
    few = np.argpartition(values, _SHORT)[:_SHORT] if len(values) > _SHORT else slice(None)
    return places[few][np.argsort(values[few], kind="stable")]


def _whitened(features: Array, target: Array, weights: Array | None, ridge: float) -> Array:
    """H^-1/2 Phi rho (n, N): columns whose length is how far a changed label moves the reward."""
    from scipy.linalg import eigh

    rho = np.ones(len(target)) if weights is None else weights
    loss = Loss(features, target, rho, ridge)
    reward = fit_reward(features, target, weights=weights, ridge=ridge).reward
    values, vectors = eigh(loss.expand(reward * loss.scale)[2])
    known = values > _NONE * values[-1]
    roots = vectors[:, known] / np.sqrt(values[known]) / loss.scale[:, None]
    return np.asarray((roots.T @ features) * rho)


def thinned(benign: Array, target: Array, rows: int, *, copies: int, seed: int) -> Array | None:
    """Labels (N) with so many of the target's rows drawn at random; None if it has too few."""
    changes = copies * (target - benign)
    counts = np.abs(np.round(changes)).astype(np.int64)
    broken = (np.abs(np.abs(changes) - counts) > 1e-9 * copies).any()
    if broken or not rows <= counts.sum() < _DRAWN:
        return None
    generator = np.random.Generator(np.random.Philox(seed))
    kept = generator.multivariate_hypergeometric(counts, rows, method="marginals")
    labels: Array = benign + kept * np.sign(changes) / copies
    return labels
