"""Certificates of enclosures: the doubles behind a bound, written as the rationals they are.

A model given as functions cannot be part of a certificate, for the kernel runs no functions.  Its
*evaluation* is written instead: what the functions were found to be, the bounds, and the vectors
that prove them, from which ``check_evaluation`` finds the bounds again in a pass or two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...exact import Vector, format_rational, to_fraction
from ...models.cmdp import CMDP
from ...models.formats.numpy_files import read_archive
from ...models.functions import FunctionModel
from ...strict import strict_json
from ...whole_files import regular, whole
from ..solution import infeasibility_certificate
from .bounds import return_bounds
from .evaluation import evaluate_chain
from .function_image import image_of
from .image import Array
from .search import Search
from .units import Units

if TYPE_CHECKING:
    from .solution import Component, EnclosedSolution

_EVALUATION = "holdfast-evaluation/1"
_MEANING = (
    "bounds found by floating-point loops whose rounding is bounded; the kernel does not check "
    "them, check_evaluation computes them again from the same functions"
)
#: Values beyond it are refused: their products with weights of 31 bits stay within doubles.
_HIGHEST = 2.0**900
_MEMBERS = ("document", "ceiling", "actions", "values")


def vector_of(values: Array, grid: float, scale: Fraction = Fraction(1)) -> Vector:
    """Doubles that are multiples of 1 / grid, in units of ``scale``, exactly."""
    step = scale / Fraction(grid)
    return Vector(
        tuple(int(v) * step.numerator for v in (values * grid).tolist()), step.denominator
    )


def enclosure_document(found: EnclosedSolution) -> dict[str, Any]:
    """A document of kind "cmdp-enclosure": the mixture, the values and the multipliers."""
    return {
        "format": "holdfast-certificate/1",
        "kind": "cmdp-enclosure",
        "model": found.model.to_dict(),
        "mixture": {"components": [_component(found, part) for part in found.components]},
        "values": vector_of(found.proof.values, found.proof.grid, found.scales[0]).to_json(),
        "multipliers": [format_rational(v) for v in found.multipliers],
        "value": [format_rational(b) for b in (found.lower, found.upper) if b is not None],
    }


def _component(found: EnclosedSolution, part: Component) -> dict[str, Any]:
    taken = ["0"] * found.model.n_choices
    for choice in part.choices.tolist():
        taken[choice] = "1"
    rows = zip(part.values, part.grids, found.scales, strict=True)
    values = [vector_of(row, grid, scale) for row, grid, scale in rows]
    return {
        "weight": format_rational(part.weight),
        "policy": {"denominator": "1", "numerators": taken},
        "reward_values": values[0].to_json(),
        "cost_values": [vector.to_json() for vector in values[1:]],
    }


def infeasibility_document(found: EnclosedSolution) -> dict[str, Any]:
    """A document of kind "cmdp-infeasible".

    The sweep behind it bounds the residuals of h for -lambda'.c, where lambda' is a positive
    multiple of lambda; W = -(h + t) / sum lambda' with t the bound over 1 - gamma then
    satisfies W <= lambda c + gamma P W exactly.
    """
    assert isinstance(found.model, CMDP)
    proof, total = found.proof.sweep, found.proof.total
    heights = vector_of(proof.values, proof.grid)
    shift = proof.greatest / (1 - found.model.discount)
    scale = Fraction(1, heights.denominator * shift.denominator) / total
    values = Vector(
        tuple(
            -(v * shift.denominator + shift.numerator * heights.denominator) * scale.numerator
            for v in heights.numerators
        ),
        scale.denominator,
    )
    return infeasibility_certificate(found.model, values, found.multipliers)


def write_evaluation(found: EnclosedSolution, path: str | Path) -> Path:
    """Write what was evaluated of a model given as functions, its bounds, and what proves them.

    An archive of numpy (.npz) with a document, 8 bytes a state for the upper bound, and 4 for each
    policy of the mixture, with 8 for each payoff.  Raises ModelError for another model, and
    where a bound is not known.
    """
    model, path = found.model, Path(path)
    if not isinstance(model, FunctionModel):
        raise ModelError("the model is stored; write found.certificate(), which the kernel checks")
    if found.writer is not enclosure_document or found.lower is None or found.upper is None:
        raise ModelError(
            f"the solution is {found.status.name} and has no two bounds; only these are written"
        )
    document = {
        "format": _EVALUATION,
        "meaning": _MEANING,
        "evaluated": model.evaluated(),
        "functions": model.functions.names,
        "versions": {name: metadata.version(name) for name in ("holdfast", "numpy")},
        "bounds": [format_rational(found.lower), format_rational(found.upper)],
        "multipliers": [format_rational(v) for v in found.multipliers],
        "weights": [format_rational(part.weight) for part in found.components],
    }
    with whole(path) as unfinished, unfinished.open("wb") as stream:
        np.savez(
            stream,
            document=np.array(json.dumps(document)),
            ceiling=found.proof.values,
            actions=np.stack([part.choices % model.n_actions for part in found.components]),
            values=np.stack([part.values for part in found.components]),
        )
    return path


def check_evaluation(model: FunctionModel, path: str | Path) -> tuple[Fraction, Fraction]:
    """The bounds of an evaluation on file, computed again from the functions of a model.

    They are those of the values and policies in the file, whoever wrote it: a pass over all pairs
    for the upper bound, and one over the pairs of each policy.  Raises ModelError where the
    functions return anything else than was evaluated, or the bounds do not come out.
    """
    path = Path(path)
    arrays = read_archive(regular(path, "give one that write_evaluation wrote"), _MEMBERS)
    try:
        document = strict_json(str(arrays["document"]), path.name)
        evaluated = dict(document["evaluated"])
        low, high = _fractions(document["bounds"])
        proof = _Proof(
            _fractions(document["multipliers"]),
            _fractions(document["weights"]),
            arrays["ceiling"],
            arrays["actions"],
            arrays["values"],
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise ModelError(
            f"{path.name} is no evaluation ({type(problem).__name__}: {problem}); give one that "
            "write_evaluation wrote"
        ) from problem
    for key, value in model.evaluated().items():
        if evaluated.get(key) != value:
            raise ModelError(
                f"{path.name} is of another model: its {key} is {str(evaluated.get(key))[:80]!r}, "
                f"and that of this one {value!r}"
            )
    proof.check_shapes(model)
    lower, upper = proof.bounds(model)
    if lower < low or upper > high:
        raise ModelError(
            f"{path.name} claims that the optimum is between {float(low)!r} and {float(high)!r}; "
            f"what is in it proves {float(lower)!r} and {float(upper)!r}"
        )
    return lower, upper


def _fractions(texts: Sequence[str]) -> tuple[Fraction, ...]:
    return tuple(to_fraction(text) for text in texts)


@dataclass(frozen=True)
class _Proof:
    """What bounds follow from: lambda (m), the weights of c policies, values (S) for the ceiling,
    and the policies' actions (c, S) and values (c, p, S), in the units of the search."""

    multipliers: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]
    ceiling: Array
    actions: Array
    values: Array

    def check_shapes(self, model: FunctionModel) -> None:
        """Raises ModelError for what could not have come from a search."""
        states, policies, payoffs = model.n_states, len(self.weights), len(model.units)
        for name, array, kind, shape in (
            ("ceiling", self.ceiling, "f", (states,)),
            ("values", self.values, "f", (policies, payoffs, states)),
            ("actions", self.actions, "u", (policies, states)),
        ):
            if array.dtype.kind != kind or array.shape != shape:
                raise ModelError(
                    f"{name} is of shape {array.shape} and type {array.dtype}; the shape is {shape}"
                )
        for name, array, most in (
            ("ceiling", np.abs(self.ceiling), _HIGHEST),
            ("values", np.abs(self.values), _HIGHEST),
            ("actions", self.actions, model.n_actions - 1),
        ):
            if not (array <= most).all():
                raise ModelError(f"{name} has an entry that is not at most {most:g}")
        if len(self.multipliers) != payoffs - 1 or min(self.multipliers, default=0) < 0:
            raise ModelError("multipliers are one for each cost, and not negative")
        if sum(self.weights) != 1 or min(self.weights) < 0:
            raise ModelError("weights are not negative, and their sum is 1")

    def bounds(self, model: FunctionModel) -> tuple[Fraction, Fraction]:
        """Bounds on the optimum; ModelError where the mixture may break a budget."""
        units = Units.of(model)
        image, scales = image_of(units.model), units.scales
        search, start = Search(image), image.start[:-1].astype(np.uint32)
        pairs = zip(self.multipliers, scales[1:], strict=True)
        price = np.array([1.0, *(-float(lam * scale / scales[0]) for lam, scale in pairs)])
        allowed = zip(price[1:].tolist(), units.model.budgets, strict=True)
        spare = -sum((Fraction(w) * bound for w, bound in allowed), Fraction(0))
        upper = search.ahead(self.ceiling.astype(float), price, start).ceiling + spare
        returns = [Fraction(0)] * len(scales)
        for weight, taken, values in zip(self.weights, self.actions, self.values, strict=True):
            chain = search.chain_of(image.choices(taken))
            found = evaluate_chain(chain, values, np.full(len(values), np.inf), 1)
            low, high = return_bounds(image, found)
            for i, end in enumerate((low[0], *high[1:])):
                returns[i] += weight * end
        for i, (cost, bound) in enumerate(zip(returns[1:], units.model.budgets, strict=True)):
            if cost > bound:
                raise ModelError(
                    f"the mixture is only proved to cost at most {float(cost * scales[1 + i])!r}, "
                    f"and budget {i} is {float(model.budgets[i])!r}"
                )
        return returns[0] * scales[0], upper * scales[0]
