"""One measurement in a process of its own: ``python worker.py JSON``; answers with a line of JSON.

{"do": "draw", "family", "states", "discount", "constraints", "path"}  write the model in floats
{"do": "enclose", ...the same but path, "inner"}            holdfast, on the exact model
{"do": "first call", ...}                                   the first enclosure, and one more
{"do": "functions", "side", "width"}                       holdfast, on a lake given as functions
{"do": "sweep", ...}                                        one sweep beside a stream of memory
{"do": "peer", "method", "path", "limit"}                   another solver, on the floats
{"do": "inner peer", "method", "path", "limit", "multipliers", "values"}
{"do": "certify", ...the model but path, "multipliers", "values"}  what those values prove
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import peers
from peers import best, timed

sys.path.append(str(Path(__file__).resolve().parents[2]))  # for the zoo
from tests.zoo.memory import peak_memory


def draw(order: dict[str, Any]) -> dict[str, Any]:
    """The model of a family in floating point, in a file for the others."""
    model = _model(order)
    lengths = np.diff(model.indptr)
    np.savez(
        order["path"],
        indptr=model.indptr,
        successors=model.successors.astype(np.int32),
        probabilities=model.weights / np.repeat(model.denominators, lengths),
        start=model.choice_start,
        reward=model.reward / model.reward_denominator,
        costs=model.costs / np.array(model.cost_denominators)[:, None],
        budgets=np.array([float(budget) for budget in model.budgets]),
        discount=float(model.discount),
        initial=model.initial / model.initial_denominator,
    )
    return {"states": model.n_states, "choices": model.n_choices, "entries": len(model.successors)}


def enclose(order: dict[str, Any]) -> dict[str, Any]:
    """holdfast's rigorous enclosure, then that of the inner problem if asked for.

    Compiled code is loaded on a small model before.
    """
    from tests.zoo.unconstrained import optimal_returns

    from holdfast.solvers import enclose

    small = _model(order | {"states": 100})
    optimal_returns(small, enclose(small, method="scale").multipliers)
    model = _model(order)
    seconds, found = best(lambda: enclose(model))
    answer = _bounds(seconds, found) | {
        "multipliers": [float(value) for value in found.multipliers],
        "note": str(found.statistics["method"]).partition(" (")[0],
        "memory": peak_memory(),
    }
    if order.get("inner"):
        seconds, inner = best(lambda: optimal_returns(model, found.multipliers))
        note = f"{inner.sweeps} sweeps, {inner.products} of single policies"
        answer["inner"] = _bounds(seconds, inner) | {"note": note}
    return answer


def _bounds(seconds: float, found: Any) -> dict[str, Any]:
    lower, upper = float(found.lower), float(found.upper)
    width = float(found.upper - found.lower)
    return {"seconds": seconds, "lower": lower, "upper": upper, "width": width}


def first_call(order: dict[str, Any]) -> dict[str, Any]:
    """An enclosure by the search while nothing is compiled, processor time, and one more."""
    from holdfast.solvers import enclose

    model, began = _model(order | {"share": None}), time.process_time()
    seconds, _ = timed(lambda: enclose(model, method="scale"))
    work = time.process_time() - began
    again, _ = timed(lambda: enclose(model, method="scale"))
    return {"seconds": seconds, "work": work, "again": again}


def functions(order: dict[str, Any]) -> dict[str, Any]:
    """A rigorous enclosure of a model that is never stored; the first pass over it counts."""
    from tests.zoo.lake import lake

    from holdfast.solvers import enclose

    enclose(lake(10))
    seconds, found = timed(lambda: enclose(lake(order["side"]), width=order["width"]))
    work = found.statistics
    note = f"{work['policies']} policies, {work['sweeps']} sweeps, {work['products']} products"
    return _bounds(seconds, found) | {"note": note, "memory": peak_memory()}


def sweep(order: dict[str, Any]) -> dict[str, Any]:
    """A Bellman sweep of the compiled kernels, and the time to read its arrays once in a stream."""
    from holdfast.solvers.cmdp.scale.compiled import n_blocks
    from holdfast.solvers.cmdp.scale.image import Image
    from holdfast.solvers.cmdp.scale.kernels import bellman

    image = Image.of(_model(order | {"share": None}))
    price = np.array([1.0, -0.5])
    values = np.random.default_rng(0).random(image.n_states)
    choices = image.start[:-1].copy()
    improved, stats = np.empty_like(values), np.empty((n_blocks(image.n_states), 4))
    arrays = (image.start, image.indptr, image.successors, image.weights, image.scale,
              image.payoffs)  # fmt: skip

    def work() -> None:
        bellman(len(stats), *arrays, price, values, values, 0.0, choices, improved, stats)

    size = sum(array.nbytes for array in (*arrays, values, choices, improved))
    rate = bandwidth()
    work()
    seconds = min(timed(work)[0] for _ in range(7))
    return {"seconds": seconds, "stream": size / rate, "bandwidth": rate, "bytes": size}


def bandwidth() -> float:
    """Bytes a second that all cores together read from memory, at best."""
    import numba

    @numba.njit(parallel=True)
    def read(data: Any, sums: Any) -> None:
        length = len(data) // len(sums)
        for block in numba.prange(len(sums)):
            a, b, c, d = 0.0, 0.0, 0.0, 0.0
            for j in range(block * length, (block + 1) * length, 4):
                a += data[j]
                b += data[j + 1]
                c += data[j + 2]
                d += data[j + 3]
            sums[block] = a + b + c + d

    data, sums = np.ones(2**26), np.empty(64)
    read(data, sums)
    return data.nbytes / min(timed(lambda: read(data, sums))[0] for _ in range(7))


def peer(order: dict[str, Any]) -> dict[str, Any]:
    """Another solver."""
    problem = peers.Problem.read(Path(order["path"]))
    known = peers.CONSTRAINED
    if order["do"] == "inner peer":
        known = peers.UNCONSTRAINED
        problem = problem.scalarised(np.array(order["multipliers"]))
    found = known[order["method"]](problem, order["limit"])
    if place := order.get("values"):
        np.save(place, found.values)
    return asdict(replace(found, values=None))


def certify(order: dict[str, Any]) -> dict[str, Any]:
    """The bound that another solver's values prove, in the time of how many sweeps."""
    from holdfast.solvers import certify

    known = {"multipliers": order["multipliers"]}
    small = _model(order | {"states": 100})
    certify(small, values=np.zeros(100), **known)
    model, values = _model(order | {"share": None}), np.load(order["values"])
    seconds, found = timed(lambda: certify(model, values=values, **known))
    return {"seconds": seconds, "upper": float(found.upper)}


def _model(order: dict[str, Any]) -> Any:
    from tests.zoo.large import FAMILIES

    known = ("discount", "constraints", "share")
    options = {name: order[name] for name in known if name in order}
    return FAMILIES[order["family"]](order["states"], **options)


DO = {
    "draw": draw,
    "enclose": enclose,
    "first call": first_call,
    "functions": functions,
    "sweep": sweep,
    "certify": certify,
    "peer": peer,
    "inner peer": peer,
}

if __name__ == "__main__":
    task = json.loads(sys.argv[1])
    answer = DO[task["do"]](task)
    print(json.dumps({"memory": peak_memory()} | answer))
