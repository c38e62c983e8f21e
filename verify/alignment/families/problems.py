"""Tiny problems of alignment, and what is drawn beside them."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family
from ...hypergradient.families.points import laws, numbers

TEMPERATURES = tuple(Fraction(k, 10) for k in (10, 2, 5, 20, 50, 1))


def problem(draw: Draw, *, prompts: int = 3, least: int = 2, most: int = 4) -> Problem:
    """Up to `prompts` prompts, `least` to `most` responses.

    Rewards and safety are halves between -2 and 2, so that about half of the prompts with four
    responses have ties; the reference has full support.
    """
    X, Y = draw.integer(1, prompts), draw.integer(least, most)
    return Problem(
        laws(draw, 1, X, least=1)[0],
        laws(draw, X, Y, least=1),
        numbers(draw, X, Y),
        numbers(draw, X, Y),
        draw.choice(TEMPERATURES),
    )


def problems(**options: int) -> Family:
    """Problems with the options of `problem`."""

    def one(draw: Draw) -> Problem:
        return problem(draw, **options)

    return Family("prompts, responses and a reference", one)


def policy(draw: Draw, case: Problem) -> Array:
    """Another policy, of full support."""
    return laws(draw, *case.reference.shape, least=1)


def any_policy(draw: Draw, case: Problem) -> Array:
    """Another policy, which may leave responses out."""
    return laws(draw, *case.reference.shape)


def gains(draw: Draw, case: Problem, *_: object) -> Array:
    """Another f for the responses, in halves between -2 and 2."""
    return numbers(draw, *case.reference.shape)


def of_one(reference: object, rewards: object, temperature: object = 1) -> Problem:
    """A problem of one prompt, as landmarks are written."""
    return Problem.of(reference, rewards, temperature=temperature)
