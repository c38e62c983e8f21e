"""Edge cases and near-tight instances of conditioned policies, each with its derivation."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from holdfast.solvers.target_returns.returns.density import RewardLattice
from holdfast.solvers.target_returns.returns.fluctuation import BinomialHead
from holdfast.solvers.target_returns.returns.process import ReturnProcess, Row, return_process

from ..families.returns import Blurred, Target, on_lattice

_ONE = Fraction(1)
_LUCK = Fraction(1, 1000)


def _sure(reward: Fraction | int, state: int) -> Row:
    return [(_ONE, [Fraction(reward)], state)]


def luck() -> tuple[ReturnProcess, Target]:
    """One step, one action, a reward of 1 by luck alone: alpha = epsilon, J = epsilon, z = 1.

    The gap is 1 - epsilon and epsilon H^2/alpha is 1.
    """
    row = [(1 - _LUCK, [Fraction(0)], 0), (_LUCK, [_ONE], 0)]
    return return_process([[row]], [[[_ONE]]]), (_ONE,)


def chain(horizon: int = 24, noise: Fraction = _LUCK) -> tuple[ReturnProcess, Target]:
    """H against H^2: h = H/2, the target h.

    The good action, of probability h epsilon, leads to a path that pays h for certain; the bad one
    to a state that pays nothing and leaves in each step with probability epsilon for a corridor of
    h steps that pay 1.  There h is attained with probability about h epsilon as well, so half of
    beta_z goes there and nearly always waits in vain: the gap is near H/4, and epsilon H (1 +
    1/alpha) near 1.
    """
    half = horizon // 2
    end, bad = 2 * half + 1, 2 * half + 2
    paths = [[_sure(1, end if i in (half, 2 * half) else i + 1)] for i in range(1, end)]
    leaving = [(1 - noise, [Fraction(0)], bad), (noise, [Fraction(0)], half + 1)]
    rows = [[_sure(0, 1), _sure(0, bad)], *paths, [_sure(0, end)], [leaving]]
    acting = [[half * noise, 1 - half * noise], *([_ONE] for _ in range(end + 1))]
    return return_process(rows, [acting] * horizon), (Fraction(half),)


def sticky(horizon: int = 4) -> tuple[ReturnProcess, Target, Blurred]:
    """The first action decides all rewards, 0 or 1; by luck they are 1/2, which is the target.

    beta_z takes both actions with probability 1/2, the model the first with d = 1/400 more: the gap
    is d (1 - luck) H, the divergence of an episode about 2 d^2, and H^(3/2) sqrt(eps_R/2) = d H.
    """
    half = Fraction(1, 2)
    rows = [
        [
            [(1 - _LUCK, [Fraction(pays)], 1 + pays), (_LUCK, [half], 3)] for pays in (0, 1)
        ],
        *([_sure(x, s)] for s, x in enumerate((Fraction(0), _ONE, half), start=1)),
    ]  # fmt: skip
    acting = [[half, half], [_ONE], [_ONE], [_ONE]]
    model = Blurred(
        Fraction(1, 100), (((Fraction(3, 4), Fraction(1, 4)), (_ONE,), (_ONE,), (_ONE,)),) * horizon
    )
    return return_process(rows, [acting] * horizon), (half * horizon,), model


def edge_of_ball(luck: Fraction = Fraction(1, 100)) -> tuple[RewardLattice, Target]:
    """One step, one action: its reward is one end of a ball, by luck the other, the target.

    C = eta = 100 luck, the gap is 2 delta (1 - luck), and 2 delta C/eta is 2 delta.
    """
    points, middle = 100, 2
    row = [(luck, [Fraction(0)], 0), (1 - luck, [Fraction(2 * middle, points)], 0)]
    return RewardLattice(on_lattice([[row]], [[[_ONE]]], points), (((middle, 0),),), middle), (
        Fraction(0),
    )


def flat(radius: int, noise: Fraction, points: int = 11) -> tuple[RewardLattice, Target]:
    """One step and an action for each point, all alike, and noise on all other points: C = eta = 1,
    c = 0, and both bounds are 2 delta + 2 epsilon_r."""
    other = noise / points
    rows = [
        [
            (1 - other * (points - 1) if k == a else other, [Fraction(k, points)], 0)
            for k in range(points)
        ]
        for a in range(points)
    ]
    process = on_lattice([rows], [[[Fraction(1, points)] * points]], points)
    return RewardLattice(process, (tuple((a, 0) for a in range(points)),), radius), (
        Fraction(points // 2, points),
    )


def idle(radius: int, lost: Fraction, steps: int = 12) -> tuple[RewardLattice, Target]:
    """No reward, and two states alike, of which the other is reached with probability `lost`: with
    many steps (H - 1) H is near H^2, and both bounds are near each other."""
    rows = [[[(1 - lost, [Fraction(0)], s), (lost, [Fraction(0)], 1 - s)]] for s in (0, 1)]
    process = on_lattice(rows, [[[_ONE], [_ONE]]] * steps, 4)
    return RewardLattice(process, (((0, 0),), ((0, 1),)), radius), (Fraction(0),)


def stray(points: int = 200) -> tuple[RewardLattice, Target]:
    """One step, one action, a reward of nearly 1, of density epsilon_r = 1/1000 anywhere else, such
    as at the target 0: C = eta = epsilon_r, the gap is nearly 1, and (C + 1) epsilon_r/eta too."""
    lost = _LUCK / points
    row = [(lost, [Fraction(k, points)], 0) for k in range(points - 1)]
    row.append((1 - lost * (points - 1), [Fraction(points - 1, points)], 0))
    return RewardLattice(on_lattice([[row]], [[[_ONE]]], points), (((points - 1, 0),),), 0), (
        Fraction(0),
    )


def off_the_actions(points: int = 64) -> tuple[RewardLattice, Target]:
    """Two steps: the first reward is 0 or 2/N, half each (delta = 1/N), the second 0 or 1 - 1/N by
    its action, with probability 1/4 and 3/4.  The target 2/N needs 0 after 2/N, and after 0 no
    action helps: beta acts, and the gap is near 3/8 though nothing is stray.  2 delta C/eta is
    4 delta: that densities are smooth is needed."""
    top = Fraction(points - 1, points)
    first = [(Fraction(1, 2), [Fraction(0)], 1), (Fraction(1, 2), [Fraction(2, points)], 1)]
    rows = [[first], [_sure(0, 1), _sure(top, 1)]]
    acting = [[_ONE], [Fraction(1, 4), Fraction(3, 4)]]
    centres = (((1, 1),), ((0, 1), (points - 1, 1)))
    return RewardLattice(on_lattice(rows, [acting] * 2, points), centres, 1), (Fraction(2, points),)


def three_steps() -> tuple[BinomialHead, int]:
    """Three independent steps with actions 0 and 2, half each, and J = 3 p: b = 3, c = 0.  The mean
    has variance 1/12, so that the sandwich is 9/12; by single steps it would be 9/4, and by the
    Hessian 1/2 alone, H b^2 p (1 - p)/(2 H) = 9/8."""
    episodes = {run: 1 for run in product((0, 2), repeat=3)}
    rewards = (Fraction(0), Fraction(1, 2), Fraction(1))
    return BinomialHead(episodes, rewards), 10


def forked(
    steps: int, best: Fraction, fitted: Fraction, points: int = 1000
) -> tuple[RewardLattice, Target, Blurred, Blurred]:
    """The first action decides whether all rewards are 0 or nearly 1, the target, so that B = 0;
    a model takes the wrong one with the probability given, p.

    It loses p H, nearly, at a divergence of -log(1 - p); p/sqrt(-log(1 - p)/2) is 0.902 at 7/10.
    """
    top = Fraction(points - 1, points)
    rows = [[_sure(0, 1), _sure(top, 2)], [_sure(0, 1)], [_sure(top, 2)]]
    acting = [[Fraction(1, 2)] * 2, [_ONE], [_ONE]]
    lattice = RewardLattice(
        on_lattice(rows, [acting] * steps, points),
        (((0, 1), (points - 1, 2)), ((0, 1),), ((points - 1, 2),)),
        0,
    )
    law = (((_ONE, Fraction(0)), (_ONE,), (_ONE,)),) * steps
    return lattice, (steps * top,), Blurred(best, law), Blurred(fitted, law)
