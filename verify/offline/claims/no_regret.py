"""Claims on no-regret oracles: balls for Hedge at any rate, exact for projected gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

import flint
from sympy import Rational, log, sqrt

from holdfast.solvers.hypergradient.balls import number
from holdfast.solvers.offline import no_regret as oracles
from holdfast.solvers.sequences import Array, objects
from holdfast.theory import Le, Quantity
from holdfast.theory.offline import no_regret as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Ball, Values


@dataclass(frozen=True, slots=True)
class Game:
    """Payoffs of one state, round by round, each repeated `times` times in its place.

    start: pi_1, positive; comparator: pi; eta: the rate; stated: the range that is claimed, if not
    the true one; oracle: another one than the theorem's, for controls.
    """

    start: tuple[Fraction, ...]
    payoffs: tuple[tuple[Fraction, ...], ...]
    comparator: tuple[Fraction, ...]
    eta: Fraction
    stated: Fraction = Fraction(0)
    oracle: str = ""

    def told(self) -> list[Array]:
        """The payoffs [A] of each round."""
        return [objects(row) for row in self.payoffs]

    def range(self) -> Fraction:
        """The largest length of a round's interval."""
        return self.stated or max(max(row) - min(row) for row in self.payoffs)

    def step(self, own: Callable[[Any], oracles.Step], eta: Any) -> oracles.Step:
        """The theorem's oracle, or the control's."""
        return {"stay": oracles.stay, "leader": oracles.follow_the_leader}.get(self.oracle) or own(
            eta
        )


def _law(draw: Draw, size: int, least: int) -> tuple[Fraction, ...]:
    weights = [draw.growing(least, 3) for _ in range(size)]
    weights = weights if any(weights) else [1] * size
    return tuple(Fraction(w, sum(weights)) for w in weights)


def _game(draw: Draw) -> Game:
    size, scale = draw.integer(2, 3), Fraction(draw.choice((1, 2, 5)))
    rows = [tuple(scale * Fraction(draw.integer(-2, 2), 4) for _ in range(size))
            for _ in range(draw.integer(1, 6))]  # fmt: skip
    rows[0] = (scale, *rows[0][1:-1], -scale)
    eta = draw.choice(tuple(map(Fraction, ("1/2", "1/10", "1", "3"))))
    return Game(_law(draw, size, 1), tuple(rows), _law(draw, size, 0), eta)


def games(**changed: Any) -> Family:
    """Payoffs of up to six rounds; changed: fields that break an assumption."""
    return Family("games of one state", lambda draw: replace(_game(draw), **changed))


HALF, ONE, ZERO = Fraction(1, 2), Fraction(1), Fraction(0)
_EVEN, _FIRST = (HALF, HALF), (ONE, ZERO)


def _steady(rounds: int, eta: Fraction, size: Fraction = ONE) -> Game:
    """The first action is better by `size` in every round: the regret to it is (log 2)/eta."""
    return Game(_EVEN, ((size, ZERO),) * rounds, _FIRST, eta)


def _alternating(rounds: int, eta: Fraction, size: Fraction = ONE) -> Game:
    """Each action in turn, against the even law: an eighth of eta size^2 a round."""
    rows = ((size, ZERO), (ZERO, size)) * (rounds // 2)
    return Game(_EVEN, rows, _EVEN, eta)


def _control_rounds() -> Family:
    """Thirty rounds in which the first action is always better, without an update."""
    return Family("no update", lambda draw: replace(
        _steady(30, Fraction(draw.integer(1, 3))), oracle="stay"))  # fmt: skip


def _regret(case: Game, eta: Any = None) -> flint.arb:
    rate = number(case.eta) if eta is None else eta
    step, told = case.step(oracles.hedge, rate), case.told()
    balls = [objects(map(number, one)) for one in (case.start, *told, case.comparator)]
    rows = oracles.play(step, balls[0], balls[1:-1])
    return oracles.regret(rows, balls[1:-1], balls[-1])  # type: ignore[no-any-return]


def _divergence(case: Game) -> flint.arb:
    pairs = zip(case.comparator, case.start, strict=True)
    return sum((number(p) * number(p / q).log() for p, q in pairs if p), flint.arb(0))


def _values(case: Game) -> Iterator[Values]:
    yield {
        theory.regret: Ball(partial(_regret, case)),
        theory.KL: Ball(partial(_divergence, case)),
        theory.eta: case.eta,
        theory.R: case.range(),
        theory.K: len(case.payoffs),
    }


_BOUND = theory.KL / theory.eta + theory.eta * theory.R**2 * theory.K / 8


@claim(
    theory.hedge,
    over=games()
    .with_landmarks(
        steady=lambda: (_steady(300, Fraction(1, 40)),),
        alternating=lambda: (_alternating(2, Fraction(1, 100)),),
        small=lambda: (_alternating(4, Fraction(1, 100), HALF),),
        large=lambda: (_alternating(2, Fraction(1, 100), Fraction(3)),),
        fast=lambda: (_alternating(2, Fraction(2), Fraction(1, 100)),),
        fast_steady=lambda: (_steady(300, Fraction(5, 2), Fraction(1, 100)),),
        far=lambda: (
            replace(_steady(300, Fraction(1, 40)), start=(Fraction(1, 10), Fraction(9, 10))),
        ),
    )
    .with_controls(range=games(stated=Fraction(1, 100)), weights=_control_rounds()),
    mutants=(
        NamedMutant("M12", Le(theory.regret, _BOUND / 4), "a quarter of the bound"),
        NamedMutant("M12-sixteenth", Le(theory.regret, _BOUND - theory.eta * theory.R**2
                    * theory.K / 16), "a sixteenth of the rate a round"),
    ),
)  # fmt: skip
def hedge(case: Game) -> Iterator[Values]:
    yield from _values(case)


def _toward(size: Fraction = HALF) -> tuple[Game]:
    """One round whose payoff points from pi_1 to the first action: eta = D/G makes it equal."""
    return (Game(_EVEN, ((size, -size),), _FIRST, 1 / (2 * size)),)


@claim(
    theory.gradient,
    over=games()
    .with_landmarks(
        toward=_toward,
        slow=lambda: _toward(ONE),
        fast=lambda: _toward(HALF / 2),
        two=lambda: (Game((ONE, ZERO), ((-HALF, HALF),) * 2, (ZERO, ONE), ONE),),
    )
    .with_controls(
        projected=Family("no update", lambda draw: replace(
            _steady(30, Fraction(1, draw.integer(1, 3))), oracle="stay"))
    ),
)  # fmt: skip
def gradient(case: Game) -> Iterator[Values]:
    told, start, end = case.told(), objects(case.start), objects(case.comparator)
    rows = oracles.play(case.step(oracles.projected_gradient, case.eta), start, told)
    yield {
        theory.regret: oracles.regret(rows, told, end),
        theory.D2: ((end - start) ** 2).sum(),
        theory.G2: max((payoff**2).sum() for payoff in told),
        theory.eta: case.eta,
        theory.K: len(told),
    }


def _tuned(case: Game) -> flint.arb:
    """The average regret to the best action from the uniform law, at the tuned rate."""
    size, rounds = len(case.start), len(case.payoffs)
    eta = (8 * flint.arb(size).log() / rounds).sqrt() / number(case.range())
    sums = list(sum(case.told()[1:], case.told()[0]))
    best = tuple(Fraction(a == sums.index(max(sums))) for a in range(size))
    uniform = (Fraction(1, size),) * size
    return _regret(replace(case, start=uniform, comparator=best), eta) / rounds


def _warm(case: Game) -> flint.arb:
    return _regret(replace(case, comparator=case.start)) / len(case.payoffs)


def _worst(rounds: int) -> tuple[Game]:
    """Alternating, and then steady for as long as it takes to learn: both halves of the bound."""
    last = 4 * int(rounds**0.5)
    return (replace(_alternating(rounds - last, Fraction(1, 100)),
            payoffs=((ONE, ZERO), (ZERO, ONE)) * ((rounds - last) // 2)
            + ((ONE, ZERO),) * last),)  # fmt: skip


_LEADER = Quantity("regret_leader", "average regret of following the leader")


def _leader() -> Iterator[Values]:
    """The leader is always the action that is about to lose: regret of a quarter a round."""
    rows = ((HALF, ZERO), *((ZERO, ONE), (ONE, ZERO)) * 50)
    case = replace(_steady(1, ONE), payoffs=rows, oracle="leader")
    told = case.told()
    played = oracles.play(oracles.follow_the_leader, objects(_EVEN), told)
    found = oracles.regret(played, told, objects(_EVEN)) / len(rows)
    yield {_LEADER: found, theory.R: ONE, theory.actions: 2, theory.K: len(rows)}


_COLD = theory.R * sqrt(log(theory.actions) / (2 * theory.K))


@claim(
    theory.starts,
    over=games().with_landmarks(
        worst=lambda: _worst(1000),
        alternating=lambda: (_alternating(2, Fraction(1, 100)),),
        small=lambda: (_alternating(2, Fraction(1, 100), HALF),),
        large=lambda: (_alternating(2, Fraction(1, 1000), Fraction(3)),),
        fast=lambda: (_alternating(2, Fraction(3, 2)),),
    ),
    survivors={
        Le(theory.cold, theory.R * sqrt(log(theory.actions) / 2)): "true: weaker, as K >= 1",
        Le(
            theory.cold, theory.R * sqrt(log(Rational(11, 10) * theory.actions) / (2 * theory.K))
        ): "true: weaker",
    },
    mutants=(
        NamedMutant("M12-fast", Le(theory.cold, theory.R / theory.K), "of order 1/K"),
        NamedMutant("leader", Le(_LEADER, _COLD), "follow the leader", _leader),
    ),
)
def starts(case: Game) -> Iterator[Values]:
    yield {
        theory.cold: Ball(partial(_tuned, case)),
        theory.warm: Ball(partial(_warm, case)),
        theory.R: case.range(),
        theory.K: len(case.payoffs),
        theory.actions: len(case.start),
        theory.eta: case.eta,
    }
