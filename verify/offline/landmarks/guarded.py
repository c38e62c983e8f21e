"""Guarded planning worked out by hand: where the bounds are attained, and where they must be."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from holdfast.solvers import CMDP, Policy, from_arrays

from ...binding.draws import Draw
from ...binding.family import Case, Family
from ..families.guarded import Guard, Rules

SMALL = Fraction(1, 10**6)
"""A leak at which first-order bounds are as good as attained, and still short to print."""
_ZERO, _ONE = Fraction(0), Fraction(1)


def by_discount(name: str, make: Callable[[Fraction], Case]) -> Family:
    """A landmark at every discount from 1/10 to 1/2, as a family."""

    def base(draw: Draw) -> CMDP:
        model = make(Fraction(draw.integer(1, 5), 10))[0]
        assert isinstance(model, CMDP)
        return model

    def extra(place: int, _: Draw, model: CMDP, *__: object) -> Any:
        return make(model.discount)[place]

    size = len(make(Fraction(1, 2)))
    return Family(name, base, extras=tuple(partial(extra, k) for k in range(1, size)))


def exits(supported: Fraction, outside: Fraction, discount: Fraction, pay: int = 1) -> CMDP:
    """State 0 pays (and costs) and is left for a worthless one with these two probabilities.

    Action 0 is the supported one, action 1 lies outside.
    """
    rows = [[[1 - p, p] for p in (supported, outside)], [[0, 1], [0, 1]]]
    both = [[pay, pay], [0, 0]]
    return from_arrays(rows, both, [both], [0], discount=discount, initial=[1, 0])


_GUARD: Guard = (True, False, True, True)


def _mixed(model: CMDP, weight: Fraction) -> Policy:
    return Policy.of(model, [1 - weight, weight, 1, 0])


def leak(discount: Fraction = Fraction(9, 10), pay: int = 1) -> Case:
    """The model leaks a little in U: abs(V^ - V) is gamma q p/(1 - gamma)^2, and eps is 2 p."""
    model = exits(SMALL, SMALL, discount, pay)
    return model, exits(_ZERO, _ZERO, discount, pay), _mixed(model, _ZERO), _GUARD


def escape(discount: Fraction = Fraction(9, 10), pay: int = 1) -> Case:
    """A rare action outside of U, which stays in truth and in the model does not; eps = 0."""
    model = exits(_ZERO, _ONE, discount, pay)
    return model, exits(_ZERO, _ZERO, discount, pay), _mixed(model, SMALL), _GUARD


def early(inside: Fraction = Fraction(1, 2)) -> Case:
    """gamma is small, so that the first step counts: both parts of the bound are attained."""
    discount = Fraction(1, 10**4)
    model = exits(inside, _ONE, discount)
    return model, exits(_ZERO, _ZERO, discount), _mixed(model, 1 - inside), _GUARD


def costly(tightening: Fraction = _ONE) -> Case:
    """The model loses the cost by a leak inside of U, and by an exit outside; truth has all of it.

    The comparator takes the exit with probability 1/1000; the plan wants the reward, which is 1 in
    action 1 alone.
    """
    gamma, p = Fraction(1, 2), Fraction(1, 1000)
    cost = [[1, 1], [0, 0]]

    def build(inside: Fraction, exit_: Fraction) -> CMDP:
        rows = [[[1 - inside, inside], [1 - exit_, exit_]], [[0, 1], [0, 1]]]
        return from_arrays(rows, [[0, 1], [0, 0]], [cost], [0], discount=gamma, initial=[1, 0])

    model, truth = build(p, _ONE), build(_ZERO, _ZERO)
    return model, truth, _mixed(model, p), _GUARD, Rules(tightening)


def trap(discount: Fraction) -> Case:
    """Outside of U the model sees an end, and the truth has a cost for ever; only that is paid."""

    def build(then: int) -> CMDP:
        go, stay = [int(s == then) for s in range(3)], [[[0, 1, 0]] * 2, [[0, 0, 1]] * 2]
        return from_arrays([[[0, 0, 1], go], *stay], [[0, 1], [0, 0], [0, 0]],
                           [[[0, 0], [1, 1], [0, 0]]], [0], discount=discount,
                           initial=[1, 0, 0])  # fmt: skip

    model, guard = build(2), (True, False, True, True, True, True)
    return model, build(1), Policy.deterministic(model, [0, 0, 0]), guard, Rules(guarded=False)


def always_pays(tightening: Fraction = _ONE) -> Case:
    """The same with nothing outside taken: V_c - V^_c is the tightening."""
    model, truth = exits(SMALL, SMALL, Fraction(9, 10)), exits(_ZERO, _ZERO, Fraction(9, 10))
    return model, truth, _mixed(model, _ZERO), (True, True, True, True), Rules(tightening)


def _choice(first: tuple[Fraction, Fraction], second: tuple[Fraction, Fraction],
            pays: tuple[Fraction, Fraction], discount: Fraction, guard: Guard) -> Case:  # fmt: skip
    """A state with two actions, of leaks (model, truth) each; the comparator takes the second."""

    def build(at: int) -> CMDP:
        rows = [[[1 - one[at], one[at]] for one in (first, second)], [[0, 1], [0, 1]]]
        functions = [list(pays), [0, 0]]
        zero = [[0, 0], [0, 0]]
        return from_arrays(rows, functions, [zero], [0], discount=discount, initial=[1, 0])

    model = build(0)
    return model, build(1), Policy.deterministic(model, [1, 0]), guard, Rules()


def two_leaks(discount: Fraction = Fraction(9, 10), pay: int = 1) -> Case:
    """The plan leaks in truth alone, the comparator in the model alone: off by 2 B(0).

    The plan pays a little more than makes both values in the model equal.
    """
    kept = 1 - discount * (1 - SMALL)
    less = pay * (1 - discount) / kept + SMALL**2
    leaks = (_ZERO, SMALL), (SMALL, _ZERO)
    return _choice(*leaks, (less, Fraction(pay)), discount, (True,) * 4)


def swapped(
    discount: Fraction, pay: int = 1, *, supported: bool = False, start: Fraction = _ONE
) -> Case:
    """Two actions, after which one is paid for ever or never: the model has them the wrong way.

    The plan earns a little more in the model, pay + SMALL against pay, as its first reward is
    pay (1 - gamma/(1 - gamma)) and gamma <= 1/2.  In truth it is 2 gamma pay/(1 - gamma) less than
    the comparator.  start: probability to be there at first, and else where nothing is paid.
    """
    first = pay * (1 - discount / (1 - discount)) + SMALL
    end = 0 if pay > 0 else 1  # what is paid without end is avoided where it is negative

    def build(to_pay: int) -> CMDP:
        go = [[[0, 1, 0], [0, 0, 1]][i] for i in (to_pay ^ end, 1 - (to_pay ^ end))]
        stay = [[[0, 1, 0]] * 2, [[0, 0, 1]] * 2]
        reward = [[first if pay > 0 else 0, max(pay, 0)], [pay, pay], [0, 0]]
        return from_arrays([go, *stay], reward, [[[0, 0]] * 3], [0], discount=discount,
                           initial=[start, 0, 1 - start])  # fmt: skip

    model = build(0)
    guard: Guard = (supported, supported, True, True, True, True)
    return model, build(1), Policy.deterministic(model, [1, 0, 0]), guard, Rules()


def worse_plan() -> Case:
    """The model is right, the comparator optimal; the plan loses a third of what there is."""
    exact = (_ZERO, _ZERO)
    found = _choice(exact, exact, (_ZERO, _ONE), Fraction(9, 10), (True,) * 4)
    return *found[:-1], Rules(share=Fraction(1, 3))


def blind(discount: Fraction) -> Case:
    """The model is right, and what pays is not supported: nothing is left to compete with."""
    exact = (_ZERO, _ZERO)
    found = _choice(exact, exact, (_ZERO, _ONE), discount, _GUARD)
    return *found[:-1], Rules(comparable=False)


def astray() -> Case:
    """The model is right, the plan is the comparator, and both are outside of U without end."""
    exact, outside = (_ZERO, _ZERO), (False, False, True, True)
    return _choice(exact, exact, (_ZERO, _ONE), Fraction(99, 100), outside)


def lost(discount: Fraction, chance: Fraction = SMALL) -> Case:
    """The model leaks into a state outside of U, which is never reached in truth."""
    truth, model = exits(_ZERO, _ZERO, discount), exits(chance, chance, discount)
    return truth, model, _mixed(model, _ZERO), (True, True, False, False)


_NOTHING = (_ZERO,) * 4


def adversary(shift: int = 0, discount: Fraction = Fraction(1, 2)) -> Case:
    """The truth leaks 1/4, as much as is suspected, and V' are its values (in fifths), shifted.

    V(0) = 1/(1 - 1/2 3/4) = 8/5 at gamma = 1/2; a shift by c makes the excess c (1 - gamma).
    """
    quarter = Fraction(1, 4)
    model, truth = (exits(p, p, discount) for p in (_ZERO, quarter))
    known = (_NOTHING, (quarter, quarter, _ZERO, _ZERO))
    return model, truth, _mixed(model, _ZERO), known, (8 + shift, shift)


def debt() -> Case:
    """The model leaves a state that costs 1 a step, and the truth does not: V(0) = -2."""
    model, truth = (exits(p, p, Fraction(1, 2), -1) for p in (Fraction(1, 4), _ZERO))
    known = (_NOTHING, (Fraction(1, 4), Fraction(1, 4), _ZERO, _ZERO))
    return model, truth, _mixed(model, _ZERO), known, (-10, 0)


def overpaid(discount: Fraction) -> Case:
    """Rewards are right but for the lower bound, which is 1 above them; V' are values by that."""
    model = exits(_ZERO, _ZERO, discount)
    known = ((-_ONE,) * 4, _NOTHING)
    return model, model, _mixed(model, _ZERO), known, (10, 5)


def unsuspected(discount: Fraction) -> Case:
    """The truth leaks 1, and nothing is suspected; V' is the value in the model, or less."""
    model, truth = (exits(p, p, discount) for p in (_ZERO, _ONE))
    known = (_NOTHING, _NOTHING)
    return model, truth, _mixed(model, _ZERO), known, (int(5 / (1 - discount)), 0)


def last_step(steps: int, discount: Fraction = Fraction(9, 10)) -> Case:
    """A walk that leaves U after so many steps, with probability 1/2, and then never again."""
    size = steps + 2
    rows = [[[int(t == min(s + 1, size - 1)) for t in range(size)]] * 2 for s in range(size)]
    model = from_arrays(rows, [[0, 0]] * size, discount=discount, initial=[1] + [0] * (size - 1))
    chances = [Fraction(1), Fraction(0)] * size
    chances[2 * steps : 2 * steps + 2] = [Fraction(1, 2)] * 2
    guard = tuple(k != 2 * steps + 1 for k in range(2 * size))
    return model, Policy.of(model, chances), guard, steps


def unsupported() -> Case:
    """The robust instance against the comparator of Theorem 3, with one state: only an action
    outside of U pays.  gamma = 9/10, the limit is 1 and all errors are 1/10."""
    model = from_arrays([[[1], [1]]], [[0, 1]], discount=Fraction(9, 10))
    return ((model, Fraction(1), Fraction(1, 10)),)
