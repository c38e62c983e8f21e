"""What ``holdfast train`` says of a policy: how far it is from the right law and wrong ones."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from holdfast.solvers.neural.alignment.bandits import variation

from ..binding.values import Count, Mean
from ..engine.ledger import interval


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
    if name == "debiasing":
        return _refusing(found)
    if name == "texts":
        return _held_out(found)
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
    """Shares of held-out pairs with 95 % Clopper-Pearson intervals, and how much of the implicit
    reward of stage 1 is left, for each policy."""
    from scipy.stats import binomtest

    rows = []
    policies = {
        "stage 1": found.first, "stage 2": found.last, "P-SACPO, logits": found.logits,
        "its control, weights": found.weights,
    }  # fmt: skip
    for policy, margins in policies.items():
        slope, *ends = found.kept(margins)
        row = {"policy": policy}
        for name, safe in (("as people chose", False), ("less toxic first", True)):
            right, number = found.right(margins, safe=safe)
            if number:
                low, high = binomtest(right, number).proportion_ci(method="exact")
                row[name] = f"{right}/{number} ({low:.2f} to {high:.2f})"
        if policy != "stage 1":
            row["left of stage 1"] = f"{slope:.2f} ({ends[0]:.2f} to {ends[1]:.2f})"
        rows.append(row)
    return rows


def _held_out(found: Any) -> list[dict[str, str]]:
    """What fresh responses to held-out prompts earn and cost, before and after, at 95 %.

    Intervals of means and shares are for these prompts; that of the change is over prompts, which
    are drawn from no law that is named, and right for many prompts only.
    """
    from holdfast.solvers.neural.parts.evaluation import ends_of_mean

    options = found.options
    rows = []
    for policy, seen in (("reference", found.before), (options.way, found.after)):
        worst = seen[..., 1:].max(axis=-1)
        rows.append({
            "policy": policy, "reward": _mean(seen[..., 0]), "largest cost": _mean(worst),
            f"above {options.limit:g}": _mean(found.excess(seen)),
            "unsafe": _share(worst > options.limit),
            f"best of {options.draws}": f"{found.best(seen).mean():.3f}",
        })  # fmt: skip
    both = [
        [seen[..., 0].mean(axis=1), seen[..., 1:].max(axis=-1).mean(axis=1),
         found.excess(seen).mean(axis=1), (found.excess(seen) > 0).mean(axis=1), found.best(seen)]
        for seen in (found.before, found.after)
    ]  # fmt: skip
    changes = [f"{(new - old).mean():+.3f} {_ends(*ends_of_mean(new - old, 0.95, -1, 1), '+')}"
               for old, new in zip(*both, strict=True)]  # fmt: skip
    words = {"policy": f"change; {found.model}, {options.precision}"}
    rows.append({**words, **dict(zip(list(rows[0])[1:], changes, strict=True))})
    return rows


def _refusing(found: Any) -> list[dict[str, str]]:
    """Exact laws of the first token; intervals over prompts, right for many prompts only."""
    from holdfast.solvers.neural.alignment.seeded_bias import POLICIES
    from holdfast.solvers.neural.parts.evaluation import ends_of_mean

    rows = []
    for policy, *columns in zip(POLICIES, found.refusing, found.far, strict=True):
        chance, far = (f"{one.mean():.4f} {_ends(*ends_of_mean(one, 0.95, 0, 1))}"
                       for one in columns)  # fmt: skip
        row = {"policy": policy, "chance of the refusal": chance}
        rows.append(row if policy == "before" else {**row, "from the law before": far})
    return [*rows, {"policy": f"{found.model}; standard error at most {found.error:.3g} nats"}]


def _mean(values: Any) -> str:
    """With the empirical Bernstein interval of values between 0 and 1."""
    exact = [Fraction(float(one)) for one in values.flatten()]
    sums = sum(exact, Fraction(0)), sum((one**2 for one in exact), Fraction(0))
    found = interval(Mean(len(exact), *sums, Fraction(0), Fraction(1)), Fraction(1, 20))
    return f"{values.mean():.3f} {_ends(found.lo, found.hi)}"


def _share(hits: Any) -> str:
    """With the interval of Clopper and Pearson."""
    found = interval(Count(int(hits.sum()), hits.size), Fraction(1, 20))
    return f"{hits.mean():.3f} {_ends(found.lo, found.hi)}"


def _ends(low: Any, high: Any, sign: str = "") -> str:
    return f"({float(low):{sign}.3f} to {float(high):{sign}.3f})"


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
