"""What ``holdfast train`` says of a policy: how far it is from the right law and wrong ones."""

from __future__ import annotations

from typing import Any

from holdfast.solvers.neural.alignment.bandits import variation


def judge(run: Any, episodes: int | None = None) -> list[dict[str, str]]:
    """Heading -> number, a row for each law that the policy is compared with; exact on both sides.

    Distances are the largest total variation over prompts.  There are no episodes.
    """
    del episodes
    found = run.result()
    name = run.training.algorithm.partition("/")[2]
    if name == "hipo":
        return [_earned(found)]
    if name == "pairs":
        return _ordered(found)
    laws = _LAWS[name](found)
    rows = [
        {"law": law, "distance": f"{variation(found.policy, exact):.4f}"}
        for law, exact in laws.items()
    ]
    return [{**row, **_beside(name, found)} for row in rows]


def _earned(found: Any) -> dict[str, str]:
    late, options = found.numbers, found.options
    return {
        "scale": options.scale, "mean of the user's reward": f"{late['user']:.4f}",
        "of the system's": f"{late['system']:.4f}", "at least": f"{options.threshold:g}",
        "multiplier": f"{late['multiplier']:.3f}", "best": "0.975", "equal policies": "0.523",
    }  # fmt: skip


def _ordered(found: Any) -> list[dict[str, str]]:
    """Shares of held-out pairs with 95 % Clopper-Pearson intervals, after each stage."""
    from scipy.stats import binomtest

    rows = []
    for stage, margins in (("1", found.first), ("2", found.last)):
        row = {"after stage": stage}
        for name, safe in (("as people chose", False), ("less toxic first", True)):
            right, number = found.right(margins, safe=safe)
            if number:
                low, high = binomtest(right, number).proportion_ci(method="exact")
                row[name] = f"{right}/{number} ({low:.2f} to {high:.2f})"
        rows.append(row)
    return rows


def _beside(name: str, found: Any) -> dict[str, str]:
    if name == "repo":
        from holdfast.solvers.neural.alignment.grouped.repo import unsafe

        before, after = (unsafe(law, found.safety) for law in (found.reference, found.policy))
        return {"unsafe": f"{before:.3f} to {after:.3f}"}
    if name == "inference-aware":
        from holdfast.solvers.neural.alignment.grouped.inference_aware import best_of

        values = (
            best_of(found.rewards, law, found.options.draws)[0].mean()
            for law in (found.reference, found.policy)
        )
        return {"best of n": " to ".join(f"{value:.3f}" for value in values)}
    return {}


def _stages(found: Any) -> dict[str, Any]:
    from holdfast.solvers.neural.alignment.sacpo import exact_laws

    laws = exact_laws(found.options, found.reference, found.rewards, found.safety)
    return {
        "r + lambda g (right)": laws.right, "r + g (beta in stage 2)": laws.temperature,
        "lambda g (the first reference in stage 2)": laws.reference, "r (stage 1)": laws.first,
    }  # fmt: skip


def _groups(found: Any) -> dict[str, Any]:
    from holdfast.solvers.neural.alignment.grouped.grpo import fixed_points

    shrunk, whole = fixed_points(found.options, found.reference, found.rewards)
    return {"(1 - 1/G) r (mean as baseline)": shrunk, "r (leave one out)": whole}


def _penalties(found: Any) -> dict[str, Any]:
    from holdfast.solvers.neural.alignment.grouped.repo import fixed_points

    laws = fixed_points(found.options, found.reference, found.rewards, found.safety)
    return dict(zip(("r - lambda cost+", "r - lambda cost"), laws, strict=True))


def _best(found: Any) -> dict[str, Any]:
    from holdfast.solvers.neural.alignment.grouped.inference_aware import optima

    return optima(found.options, found.reference, found.rewards)


_LAWS = {
    "sacpo": _stages, "grpo": _groups, "rloo": _groups, "repo": _penalties,
    "inference-aware": _best,
}  # fmt: skip
"""Algorithm -> the exact laws, by what tilts the reference."""
