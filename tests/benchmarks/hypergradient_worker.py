"""One measurement in a process of its own: ``python hypergradient_worker.py JSON``.

{"do": method, "problem": file, "limit", "keep": file for the gradient}; answers in JSON.  The file
holds a model whose rewards are linear in the leader's parameters: r + F theta for the follower, and
half as much for the leader.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from peers import best

ACCURACY = 1e-12
"""Of the last step of iterations that are unrolled, or differentiated implicitly."""


def load(order: dict[str, Any]) -> dict[str, Any]:
    with np.load(order["problem"]) as data:
        found = dict(data)
    size, width = found["follower"].shape
    for name, columns in (("kernel", size), ("adds", len(found["theta"]))):
        parts = tuple(found[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
        found[name] = sp.csr_matrix(parts, shape=(size * width, columns))
    return found


def holdfast(p: dict[str, Any], bounds: bool = True) -> tuple[Any, str]:
    """The adjoint solve, with its rigorous bounds."""
    from holdfast.solvers.hypergradient import BilevelModel, hypergradient, reward_penalty

    model = BilevelModel.of(
        p["kernel"], p["follower"], p["leader"], temperature=float(p["beta"]),
        follower_discount=float(p["discounts"][0]), leader_discount=float(p["discounts"][1]),
    )  # fmt: skip
    leader = reward_penalty(model, p["adds"], p["adds"] / 2, parameters=p["theta"])
    found = hypergradient(leader, bounds=bounds)
    return found.gradient, f"each within {found.error_bound.max():.1e}" if bounds else "no bounds"


def without_bounds(p: dict[str, Any]) -> tuple[Any, str]:
    return holdfast(p, bounds=False)


def differences(p: dict[str, Any]) -> tuple[Any, str]:
    """Central differences of holdfast's objective, in every parameter."""
    step, found = 1e-4, []
    for direction in np.eye(len(p["theta"])):
        ends = [_objective(p, p["theta"] + sign * step * direction) for sign in (1, -1)]
        found.append((ends[0] - ends[1]) / (2 * step))
    return np.array(found), f"{2 * len(found)} solves"


def _objective(p: dict[str, Any], theta: Any) -> float:
    from holdfast.solvers.hypergradient import BilevelModel, evaluate_leader, solve_follower

    shape, added = p["follower"].shape, p["adds"] @ theta
    model = BilevelModel.of(
        p["kernel"], p["follower"] + added.reshape(shape), p["leader"] + added.reshape(shape) / 2,
        temperature=float(p["beta"]), follower_discount=float(p["discounts"][0]),
        leader_discount=float(p["discounts"][1]),
    )  # fmt: skip
    return float(model.initial @ evaluate_leader(model, solve_follower(model).policy).values)


def unrolled(p: dict[str, Any]) -> tuple[Any, str]:
    """torch: soft value iteration, then evaluation, both differentiated step by step."""
    import torch

    torch.set_num_threads(1)
    size, width = p["follower"].shape

    def product(matrix: sp.csr_matrix) -> Any:
        """Rows padded to the same length: sparse tensors take twenty times as long backwards."""
        lengths = np.diff(matrix.indptr)
        inside = np.arange(lengths.max()) < lengths[:, None]
        columns, weights = np.zeros(inside.shape, dtype=np.int64), np.zeros(inside.shape)
        columns[inside], weights[inside] = matrix.indices, matrix.data
        at, by = torch.from_numpy(columns), torch.from_numpy(weights)
        return lambda x: (x[at] * by).sum(dim=1).view(size, width)

    kernel, adds = product(p["kernel"]), product(p["adds"])
    theta = torch.tensor(p["theta"], requires_grad=True)
    added = adds(theta)
    follower, leader = torch.from_numpy(p["follower"]) + added, torch.from_numpy(p["leader"])
    leader = leader + added / 2
    beta, (first, second) = float(p["beta"]), p["discounts"].tolist()

    def ahead(rewards: Any, discount: float, values: Any) -> Any:
        return rewards + discount * kernel(values)

    values, rounds = torch.zeros(size, dtype=torch.float64), 0
    while True:
        moved = beta * torch.logsumexp(ahead(follower, first, values) / beta, dim=1)
        change, values, rounds = float((moved - values).detach().abs().max()), moved, rounds + 1
        if change < ACCURACY:
            break
    policy = torch.softmax(ahead(follower, first, values) / beta, dim=1)
    own = torch.zeros(size, dtype=torch.float64)
    while True:
        moved = (policy * ahead(leader, second, own)).sum(dim=1)
        change, own, rounds = float((moved - own).detach().abs().max()), moved, rounds + 1
        if change < ACCURACY:
            break
    own.mean().backward()
    return theta.grad.numpy(), f"{rounds} steps"


def jaxopt(p: dict[str, Any]) -> tuple[Any, str]:
    """jaxopt's implicit differentiation of the fixed point; compiled before it is timed."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from jaxopt import FixedPointIteration, linear_solve

    size, width = p["follower"].shape

    def product(matrix: sp.csr_matrix) -> Any:
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        data, columns, count = jnp.asarray(matrix.data), matrix.indices, matrix.shape[0]
        return lambda x: jax.ops.segment_sum(
            data * x[columns], rows, count, indices_are_sorted=True
        )

    kernel, adds = product(p["kernel"]), product(p["adds"])
    beta, (first, second) = float(p["beta"]), p["discounts"].tolist()

    def action_values(values: Any, theta: Any) -> Any:
        return p["follower"] + (adds(theta) + first * kernel(values)).reshape(size, width)

    def backup(values: Any, theta: Any) -> Any:
        return beta * jax.nn.logsumexp(action_values(values, theta) / beta, axis=1)

    tight = _tight(linear_solve.solve_gmres)
    solver = FixedPointIteration(backup, maxiter=5000, tol=ACCURACY, implicit_diff_solve=tight)

    def objective(theta: Any) -> Any:
        values = solver.run(jnp.zeros(size), theta).params
        policy = jax.nn.softmax(action_values(values, theta) / beta, axis=1)
        paid = (policy * (p["leader"] + adds(theta).reshape(size, width) / 2)).sum(axis=1)

        def system(x: Any) -> Any:
            return x - second * (policy * kernel(x).reshape(size, width)).sum(axis=1)

        own, _ = jax.scipy.sparse.linalg.gmres(system, paid, tol=ACCURACY)
        return own.mean()

    gradient = p.setdefault("compiled", jax.jit(jax.grad(objective)))
    return np.asarray(gradient(p["theta"])), ""


def _tight(solve: Any) -> Any:
    return lambda matvec, b, **options: solve(matvec, b, **(options | {"tol": ACCURACY}))


METHODS = {
    "holdfast": holdfast, "without bounds": without_bounds, "differences": differences,
    "unrolled": unrolled, "jaxopt": jaxopt,
}  # fmt: skip


def peak_memory() -> float:
    """Of this process, in MB (tests.zoo is not importable from another environment)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    task = json.loads(sys.argv[1])
    method, data = METHODS[task["do"]], load(task)
    if task["do"] == "jaxopt":
        method(data)
    before = peak_memory()
    seconds, (gradient, note) = best(lambda: method(data), task["limit"])
    np.save(task["keep"], gradient)
    print(json.dumps({"seconds": seconds, "note": note, "memory": peak_memory(), "before": before}))
