"""The record of a problem: prompts, responses, a reference policy, what is wanted of responses."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from ..errors import ModelError
from ..exact import to_fraction
from ..hypergradient.balls import elementwise, number
from ..sequences import Array, as_array
from .checks import ROUNDING, check_kind, check_laws, check_temperature, reals, same_kind


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """X prompts, Y responses to each, and what is wanted of them, exactly.

    prompt_law [X]: probabilities of prompts; reference [X, Y]: the policy to stay near, positive
    everywhere; rewards, safety [X, Y]: of responses, larger is better; temperature: weight of the
    KL divergence, positive.  Object arrays of Fractions, or of balls of arb by `in_balls`.

    Raises
    ------
    ModelError: for shapes that do not fit, rows that are no laws, a reference without full support
        where a prompt has positive probability, or a temperature that is not positive.
    """

    prompt_law: Array
    reference: Array
    rewards: Array
    safety: Array
    temperature: Any

    def __post_init__(self) -> None:
        self._check_shapes()
        check_laws(self.prompt_law[None], "prompt_law")
        check_laws(self.reference, "reference")
        asked = self.prompt_law != 0
        if (self.reference[asked] == 0).any():
            x, y = np.argwhere((self.reference == 0) & asked[:, None])[0].tolist()
            raise ModelError(
                f"reference[{x}, {y}] is 0: no policy near it gives that response; leave the "
                "response out, or give it a positive probability"
            )
        check_temperature(self.temperature)

    def _check_shapes(self) -> None:
        names = ("prompt_law", "reference", "rewards", "safety")
        for name in names:
            check_kind(getattr(self, name), name, np.ndarray, "Problem.of takes lists")
        shape = self.reference.shape
        if len(shape) != 2 or 0 in shape:
            raise ModelError(f"reference has shape {shape}; give a row of responses a prompt")
        wanted = {"prompt_law": shape[:1], "rewards": shape, "safety": shape}
        for name, one in wanted.items():
            found = getattr(self, name).shape
            if found != one:
                raise ModelError(f"{name} has shape {found}; a reference of {shape} needs {one}")
        same_kind({name: reals(getattr(self, name), name) for name in names})

    @classmethod
    def of(
        cls,
        reference: Any,
        rewards: Any,
        safety: Any = None,
        *,
        temperature: Any = 1,
        prompt_law: Any = None,
    ) -> Problem:
        """A problem from nested lists or arrays of ints, Fractions, texts and floats.

        A float is the decimal that Python prints for it, so 0.1 is 1/10.  Laws whose sum is off by
        at most 1e-9 are divided by it.  Without `safety` every response has safety 0, without
        `prompt_law` all prompts are equally likely.  A list of numbers is one prompt.
        """
        policy = normalised(exact(reference, "reference"), "reference")
        shape = policy.shape
        law = [Fraction(1, shape[0])] * shape[0] if prompt_law is None else prompt_law
        return cls(
            normalised(exact(law, "prompt_law")[0][None], "prompt_law")[0],
            policy,
            exact(rewards, "rewards"),
            policy * 0 if safety is None else exact(safety, "safety"),
            as_printed(temperature, "temperature"),
        )

    def in_balls(self) -> Problem:
        """The same problem in balls of arb at the working precision."""
        return Problem(*(elementwise(number, getattr(self, one.name)) for one in fields(self)))

    def floats(self) -> Problem:
        """The same problem in doubles, each correctly rounded."""
        return Problem(*(_doubles(getattr(self, one.name)) for one in fields(self)))


def _doubles(values: Any) -> Any:
    return values.astype(float) if isinstance(values, np.ndarray) else float(values)


def check_problem(problem: object) -> None:
    """Raises ModelError unless it is a problem."""
    check_kind(problem, "problem", Problem, "give a Problem, by Problem.of")


def rational(problem: Problem) -> None:
    """Raises ModelError unless it is a problem of rationals, as `Problem.of` makes it."""
    check_problem(problem)
    for one in fields(problem):
        value = getattr(problem, one.name)
        first = value.flat[0] if isinstance(value, np.ndarray) else value
        if not isinstance(first, int | Fraction):
            raise ModelError(
                f"{one.name} of the problem holds {type(first).__name__}; give rationals, as "
                "Problem.of makes them of floats too"
            )


def as_printed(value: Any, where: str) -> Any:
    """A number as a Fraction, a float as the decimal that Python prints for it; a ball as it is."""
    if isinstance(value, flint.arb):
        return value
    if isinstance(value, float | np.floating) and math.isfinite(value):
        return Fraction(repr(float(value)))
    try:
        return to_fraction(value, where)
    except ValueError as problem:
        raise ModelError(str(problem)) from problem


def exact(values: Any, name: str) -> Array:
    """Numbers as a matrix of Fractions, floats as printed; one row where a list is given.

    Raises ModelError for ragged lists, more than two axes, and what is not a finite number.
    """
    array = as_array(values, name)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2:
        raise ModelError(f"{name} has {array.ndim} axes; give a row of numbers for each prompt")
    found = np.empty(array.shape, dtype=object)
    for at, value in np.ndenumerate(array):
        found[at] = as_printed(value, f"{name}{list(at)}")
    return found


def normalised(laws: Array, name: str) -> Array:
    """Rows that are laws but for rounding, divided by their sums; ModelError for other rows."""
    totals = laws.sum(axis=1)
    for x, total in enumerate(totals):
        if abs(total - 1) > ROUNDING:
            raise ModelError(f"row {x} of {name} has sum {float(total)}; it must be 1")
    result: Array = laws / totals[:, None]
    return result
