"""The values of a deterministic policy for the reward and every cost at once, in floating point.

Nothing here is believed: the residuals of whatever comes out are bounded in ``bounds``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .compiled import n_blocks
from .forest import CHUNK, chunked, depth_first, likeliest, solve_forest, solve_transposed
from .image import AbstractImage, Array, Arrays
from .kernels import GREATEST, LEAST, ONE, TOTAL, copy_rows, round_to
from .krylov import apply, full_step, half_step, residuals, turn

#: Bits of a value on its grid: two fewer than a double has, so that differences are exact.
_SIGNIFICANT = 51
#: Residuals that a round of the Krylov method has not halved will not fall further: rounding.
_STALLED = 0.5
#: Plain sweeps go on while each takes off nearly half; below that the Krylov method is faster.
_FAST = 0.55
#: A residual so much larger than the best so far is a breakdown; smaller rises are usual.
_GROWN = 1e3
#: Numbers of a vector of right sides up to which they are evaluated together: what a cache holds.
_CACHED = 1_000_000
#: Products after which a chain is looked at for being narrow: most policies need fewer.
_LONG = 60
#: Entries of the factors of a narrow chain; 16 bytes each, a second's work at the most.
_FILLED = 2_000_000
#: Where the likeliest successors carry less than this share of the mass, on the mean, following
#: them saves nothing.
_LIKELY = 0.5
#: Products for the visits, which only weigh states.
_VISITS = 100


@dataclass(frozen=True)
class Chain:
    """The transitions and payoffs of one policy: what an evaluation sweep reads.

    Attributes:
        rows: uint64[S+1]; successors, weights: as in ``Image``; scale: float64[S];
        payoffs: float64[S, p].
        order: None, or the states (uint32[S]) in the order in which all of this is stored.
        link, rate: uint32[S], float64[S], the forest of likeliest successors, if in such an order.
        backward: whether products are with gamma P transposed.
    """

    rows: Array
    successors: Array
    weights: Array
    scale: Array
    payoffs: Array
    order: Array | None = None
    link: Array | None = None
    rate: Array | None = None
    backward: bool = False

    @classmethod
    def of(cls, image: AbstractImage, choices: Array) -> Chain:
        """The chain of a policy's choices (uint32[S])."""
        arrays, choices = image.policy(choices)
        _, *source, scale, _ = arrays
        size, discount = len(choices), image.model.discount
        ahead, beta = np.empty(size, dtype=np.uint32), np.empty(size)
        likeliest(n_blocks(size), choices, *source, scale, ahead, beta)
        if float(beta.mean()) < _LIKELY * float(discount) or not discount:
            return cls(*_rows(arrays, choices, np.empty(0, dtype=np.uint32)))
        order, rank = np.empty(size, dtype=np.uint32), np.empty(size, dtype=np.uint32)
        depth_first(ahead, order)
        rank[order] = np.arange(size, dtype=np.uint32)
        link, rate = np.empty(size, dtype=np.uint32), np.empty(size)
        chunked(-(-size // CHUNK), order, ahead, beta, rank, link, rate)
        return cls(*_rows(arrays, choices[order], rank), order, link, rate)

    def ordered(self, values: Array) -> Array:
        """The rows of ``values`` in the order of the chain (themselves if it has none)."""
        return values if self.order is None else values[self.order]

    def transposed(self) -> Chain:
        """The same chain read backwards: products are with gamma P^T (no payoffs)."""
        size = len(self.scale)
        flow = self.matrix().tocsc()
        return Chain(
            flow.indptr.astype(np.uint64),
            flow.indices.astype(np.uint32),
            flow.data,
            np.ones(size),
            np.empty((size, 0)),
            self.order,
            self.link,
            self.rate,
            True,
        )

    def matrix(self) -> Any:
        """gamma P in double precision, a scipy CSR matrix [S, S]."""
        from scipy.sparse import csr_matrix

        starts: Array = self.rows.view(np.int64)
        moves = self.weights * np.repeat(self.scale, np.diff(starts))
        parts = (moves, self.successors.view(np.int32), starts)
        return csr_matrix(parts, shape=(len(self.scale), len(self.scale)))

    def precondition(self, right: Array, result: Array) -> None:
        """result = M^-1 right for the forest M; without one result must be right itself."""
        if self.link is not None and self.rate is not None:
            solve = solve_transposed if self.backward else solve_forest
            solve(-(-len(right) // CHUNK), self.link, self.rate, right, result)

    def residuals(self, values: Array) -> tuple[Array, Array]:
        """(payoff + gamma P V - V, its greatest, least and mean entry a column: float64[p, 3])."""
        result = np.empty_like(values)
        stats = np.empty((n_blocks(len(values)), values.shape[1], 3))
        residuals(
            len(stats), self.rows, self.successors, self.weights, self.scale, self.payoffs,
            values, result, stats,
        )  # fmt: skip
        ends = np.stack(
            [
                stats[:, :, GREATEST].max(axis=0),
                stats[:, :, LEAST].min(axis=0),
                stats[:, :, TOTAL].sum(axis=0) / len(values),
            ],
            axis=1,
        )
        return result, ends


def _rows(arrays: Arrays, choices: Array, rank: Array) -> tuple[Array, Array, Array, Array, Array]:
    _, indptr, successors, weights, scale, payoffs = arrays
    size = len(choices)
    rows = np.zeros(size + 1, dtype=np.uint64)
    np.cumsum(indptr[choices + ONE] - indptr[choices], out=rows[1:])
    own_successors = np.empty(rows[-1], dtype=np.uint32)
    own_weights = np.empty(rows[-1], dtype=weights.dtype)
    copy_rows(
        n_blocks(size), choices, indptr, successors, weights, rank, rows, own_successors,
        own_weights,
    )  # fmt: skip
    return rows, own_successors, own_weights, scale[choices], payoffs[choices]


@dataclass(frozen=True)
class Evaluation:
    """Values up to constants (float64[p, S]), row i in multiples of 1 / grids[i], and the work.

    ends: float64[p, 3], the greatest, least and mean residual of each row; products: how often the
    chain was applied to all of them.
    """

    values: Array
    grids: tuple[float, ...]
    ends: Array
    products: int


def grid_of(values: Array) -> float:
    """A power of two g: multiples of 1 / g up to the largest of the values are doubles exactly."""
    height = max(float(values.max()), -float(values.min()))
    exponent = math.frexp(height)[1] if height else 0
    return math.ldexp(1.0, min(_SIGNIFICANT - exponent, 900))


def evaluate_chain(chain: Chain, start: Array, spans: Array, limit: int) -> Evaluation:
    """Values (p, S) from ``start`` on, until the residuals of row i differ by at most spans[i].

    Ends earlier when rounding or ill conditioning stops the progress, or after about ``limit``
    products.  All rows are worked on together while they fit in the cache, else one by one.
    """
    count, size = start.shape
    together = count * size <= _CACHED
    groups = [list(range(count))] if together else [[i] for i in range(count)]
    values, ends, grids, products = np.empty_like(start), np.empty((count, 3)), [], 0
    for group in groups:
        part = replace(chain, payoffs=np.ascontiguousarray(chain.payoffs[:, group]))
        found = np.ascontiguousarray(chain.ordered(start[group].T))
        grid, ends[group], used = _solve(part, found, spans[group], limit)
        if chain.order is None:
            values[group] = found.T
        else:
            values[np.ix_(np.array(group), chain.order)] = found.T
        grids += [grid] * len(group)
        products += used
    return Evaluation(values, tuple(grids), ends, -(-products // len(groups)))


def _solve(chain: Chain, values: Array, spans: Array, limit: int) -> tuple[float, Array, int]:
    """Improve ``values`` (S, p) in place; their grid, the ends of their residuals, the products.

    Plain iteration goes on while it converges fast (it is the cheapest then), BiCGSTAB otherwise;
    where that breaks down, plain iteration takes over for good.  A long chain, on which both are
    slow, is factored.
    """
    products, best, previous, plain, tried = 0, np.inf, np.inf, False, False
    kept = values
    while True:
        grid = grid_of(values)
        flat = values.reshape(-1)
        round_to(n_blocks(len(flat)), flat, grid)
        residual, ends = chain.residuals(values)
        products += 1
        worst = float(((ends[:, GREATEST] - ends[:, LEAST]) / spans).max())
        if not worst < _GROWN * best:  # larger than before, or not a number
            values[:], plain, best = kept, True, np.inf
            continue
        if worst <= 1 or products >= limit:
            return grid, ends, products
        if plain or worst <= _FAST * previous:
            half_step(
                n_blocks(len(values)), values, residual, ends[:, TOTAL].copy(), -np.ones(len(ends))
            )
            previous = worst
            continue
        if worst >= _STALLED * best:
            return grid, ends, products
        if products > _LONG and not tried:
            tried, factors = True, _factors(chain)
            if factors is not None:
                values += factors.solve(residual)
                continue
        best, previous, kept = worst, 0.0, values.copy()
        residual -= ends[:, TOTAL]
        most = limit - products if tried else min(limit - products, _LONG)
        products += _bicgstab(chain, values, residual, 0.5 * spans, most)


def _factors(chain: Chain) -> Any:
    """The sparse factors of I - gamma P, or None where they would fill in."""
    from scipy.sparse import identity
    from scipy.sparse.csgraph import reverse_cuthill_mckee
    from scipy.sparse.linalg import splu

    size, matrix = len(chain.scale), chain.matrix()
    place = np.empty(size, dtype=np.int64)
    place[reverse_cuthill_mckee(matrix)] = np.arange(size)
    ends = matrix.tocoo()
    band = int(np.abs(place[ends.row] - place[ends.col]).max(initial=0)) + 1
    if size * band > _FILLED:
        return None
    return splu(identity(size, format="csc") - matrix.tocsc())


def visits_of(chain: Chain, initial: Array, start: Array | None, share: float) -> tuple[Array, int]:
    """Discounted visits rho (S) with rho = initial + gamma P^T rho, to a share of their total.

    Also the number of products; ``start`` is a first guess.
    """
    flow = chain.transposed()
    right = chain.ordered(initial)[:, None]
    guess = right if start is None else chain.ordered(start)[:, None]
    values = np.array(guess, order="C")
    image, sums = np.empty_like(values), np.empty((n_blocks(len(values)), 1, 3))
    apply(
        len(sums), flow.rows, flow.successors, flow.weights, flow.scale, values, values, image, sums
    )
    residual = right - image
    mean = float(np.abs(right).sum()) / len(values)
    products = 1 + _bicgstab(flow, values, residual, np.array([share * mean]), _VISITS)
    if chain.order is not None:
        ordered, values = values, np.empty_like(values)
        values[chain.order] = ordered
    return np.maximum(values[:, 0], 0.0), products


def _bicgstab(chain: Chain, x: Array, residual: Array, spans: Array, limit: int) -> int:
    """BiCGSTAB steps on x from its residual; returns the number of products with the chain."""
    size, count = x.shape
    parts = (chain.rows, chain.successors, chain.weights, chain.scale)
    blocks = n_blocks(size)
    sums = np.empty((blocks, count, 3))
    shadow, direction = residual.copy(), residual.copy()
    image, second = np.empty_like(x), np.empty_like(x)
    step, second_step = direction, residual
    if chain.link is not None:
        step, second_step = np.empty_like(x), np.empty_like(x)
    centred = 0.0 if chain.backward else 1.0 / size
    rho = np.einsum("si,si->i", shadow, residual)
    products = 0
    while True:
        chain.precondition(direction, step)
        apply(blocks, *parts, step, shadow, image, sums)
        total, against, _ = sums.sum(axis=0).T
        mean = total * centred
        alpha = _ratio(rho, against)
        half_step(blocks, residual, image, mean, alpha)
        chain.precondition(residual, second_step)
        apply(blocks, *parts, second_step, residual, second, sums)
        total, along, square = sums.sum(axis=0).T
        second_mean = total * centred
        omega = _ratio(along, square - total * second_mean)
        full_step(
            blocks, x, step, second_step, residual, second, second_mean, alpha, omega, shadow, sums
        )  # fmt: skip
        products += 2
        previous, rho = rho, sums[:, :, 0].sum(axis=0)
        widths = sums[:, :, 1].max(axis=0) - sums[:, :, 2].min(axis=0)
        if (widths <= spans).all() or products >= limit or not np.isfinite(widths).all():
            return products
        beta = _ratio(rho * alpha, previous * omega)
        turn(blocks, direction, residual, image, mean, beta, omega)


def _ratio(top: Array, bottom: Array) -> Array:
    """top / bottom, and 0 where a column has converged (0 / 0)."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
