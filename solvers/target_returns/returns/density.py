"""What the density form of the bias bound asks of a process whose rewards lie on a lattice.

Rewards are k/N with k = 0 .. N-1, and a *density* is N times a probability: with respect to the
measure that gives each lattice point 1/N, so that a unit interval has measure 1.  With it the proof
of the bound holds word for word, sums for integrals, at every N; nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from ...errors import ModelError
from .conditioning import Policy, occupancy
from .process import ReturnProcess, Units


@dataclass(frozen=True)
class RewardLattice:
    """A process on a lattice of `process.scale` points with one reward, and what is expected of it.

    centres[s][a]: (k, next state) that the action nearly gives; radius: d, so that delta = d/N.
    Raises ModelError if a reward is no lattice point, or there is more than one coordinate.
    """

    process: ReturnProcess
    centres: tuple[tuple[tuple[int, int], ...], ...]
    radius: int

    def __post_init__(self) -> None:
        points = self.process.scale
        rewards = [r for rows in self.process.outcomes for row in rows for _, r, _ in row]
        for reward in rewards:
            if len(reward) != 1 or not 0 <= reward[0] < points:
                raise ModelError(
                    f"the reward {reward} is not one of the {points} lattice points 0 .. "
                    f"{points - 1}; give one reward a step, in units of 1/{points}, below 1"
                )

    @property
    def delta(self) -> Fraction:
        """The radius in units of reward."""
        return Fraction(self.radius, self.process.scale)

    @cached_property
    def reward_noise(self) -> Fraction:
        """epsilon_r: the largest density of a reward outside the ball around its centre."""
        return max(self._stray(s, a)[0] for s, a in self._choices())

    @cached_property
    def state_noise(self) -> Fraction:
        """epsilon_s: the largest probability of another next state than the expected one."""
        return max(self._stray(s, a)[1] for s, a in self._choices())

    def _choices(self) -> Iterator[tuple[int, int]]:
        return ((s, a) for s, row in enumerate(self.centres) for a, _ in enumerate(row))

    def _stray(self, s: int, a: int) -> tuple[Fraction, Fraction]:
        centre, state = self.centres[s][a]
        outside: dict[int, int] = {}
        astray = 0
        for weight, (reward,), other in self.process.outcomes[s][a]:
            if abs(reward - centre) > self.radius:
                outside[reward] = outside.get(reward, 0) + weight
            astray += weight * (other != state)
        chance, points = self.process.chance, self.process.scale
        largest = max(outside.values(), default=0)
        return Fraction(points * largest, chance), Fraction(astray, chance)


@dataclass(frozen=True)
class Densities:
    """Of a target R: eta = f(R | s_1), largest = C_R, shifted = c_R(delta), and slopes = (K, K^2)
    for Hoelder exponents 1 and 1/2 at distances of at most 1, or 2 delta if that is more.

    The suprema are over all contexts that the behaviour policy can be in, the first one included.
    """

    eta: Fraction
    largest: Fraction
    shifted: Fraction
    slopes: tuple[Fraction, Fraction]


def densities(lattice: RewardLattice, target: Units) -> Densities:
    """The densities of the total return at and around a target, in every context."""
    process, points = lattice.process, lattice.process.scale
    unit, most = process.spread * process.chance, process.horizon * (points - 1)
    far = max(points, 2 * lattice.radius)
    shifts = [k for k in range(-far, far + 1) if 0 <= target[0] + k <= most]
    largest = shifted = steep = root = Fraction(0)
    for t, contexts in enumerate(occupancy(process, _behaviour(process), target)[:-1]):
        for s, (c,) in contexts:
            law, density = process.laws[t][s], Fraction(points, unit ** (process.horizon - t))
            here = law.get((c,), 0)
            largest = max(largest, here * density)
            changes = {k: abs(law.get((c + k,), 0) - here) * density for k in shifts}
            near = (f for k, f in changes.items() if abs(k) <= 2 * lattice.radius)
            shifted = max([shifted, *near])
            steep = max([steep, *(f * points / abs(k) for k, f in changes.items() if k)])
            root = max([root, *(f * f * points / abs(k) for k, f in changes.items() if k)])
    start = process.laws[0][process.start].get(target, 0)
    eta = Fraction(points * start, unit**process.horizon)
    return Densities(eta, largest, shifted, (steep, root))


def _behaviour(process: ReturnProcess) -> Policy:
    return lambda t, s, _: [Fraction(w, process.spread) for w in process.behaviour[t][s]]
