"""Correct batches are never accused, however they are computed, stored and printed."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from holdfast.solvers.alignment.audits import batches
from holdfast.solvers.alignment.audits.batches import Recomputed, grouped, recompute
from holdfast.solvers.alignment.audits.printed import DOUBLE, SINGLE, graded, printed

FORMS = tuple(batches.FORMS)
GUARDS: dict[str, Callable] = {
    "none": lambda x, g: x.std(unbiased=g),
    "added": lambda x, g: x.std(unbiased=g) + 1e-4,
    "added, 1e-5": lambda x, g: x.std(unbiased=g) + 1e-5,
    "to the variance": lambda x, g: (x.var(unbiased=g) + 1e-8).sqrt(),
}
WRITERS: dict[str, Callable[[float], str]] = {
    "repr": repr,
    "of float32": lambda x: str(np.float32(x)),
    "4 decimals": "{:.4f}".format,
    "2 decimals": "{:.2f}".format,
    "6 digits": "{:.6g}".format,
    "round": lambda x: repr(round(x, 3)),
    "scientific": "{:.3e}".format,
}


def advantages(x: torch.Tensor, form: str, guard: str) -> torch.Tensor:
    """As libraries compute them."""
    away = x - x.mean()
    if form == "centred":
        return away
    if form == "leave-one-out":
        return x - (x.sum() - x) / (len(x) - 1)
    return away / GUARDS[guard](x, form.endswith("G - 1"))


def read(batch: list[torch.Tensor], form: str, guard: str, writer: str, stored: torch.dtype,
         rewards_writer: str | None = None) -> Recomputed:  # fmt: skip
    """What is found in the batch as it is logged."""
    names, rewards, found = [], [], []
    for k, x in enumerate(batch):
        names += [str(k)] * len(x)
        rewards += [WRITERS[rewards_writer or writer](float(r)) for r in x]
        found += [WRITERS[writer](float(a)) for a in advantages(x, form, guard).to(stored)]
    rows = range(len(names))
    unit = DOUBLE if batch[0].dtype == torch.float64 else SINGLE
    logged = printed(found, "advantage", rows)
    return recompute(grouped(names, graded(rewards, "reward", rows), logged), unit)


@pytest.mark.slow
@given(
    size=st.sampled_from([2, 3, 4, 5, 8, 16]),
    scale=st.sampled_from([1e-3, 0.03, 1.0, 40.0, 1e3]),
    level=st.sampled_from([0.0, 1.0, -7.3, 1000.0]),
    kind=st.sampled_from(["continuous", "graded", "binary"]),
    form=st.sampled_from(FORMS[:-1]),
    guard=st.sampled_from(sorted(GUARDS)),
    writer=st.sampled_from(sorted(WRITERS)),
    rewards_writer=st.sampled_from([None, "4 decimals", "2 decimals", "round", "repr"]),
    computed=st.sampled_from([torch.float32, torch.float64]),
    stored=st.sampled_from([torch.float64, torch.float32, torch.bfloat16, torch.float16]),
    seed=st.integers(0, 10**6),
)
def test_correct_batches_are_never_accused(
    size, scale, level, kind, form, guard, writer, rewards_writer, computed, stored, seed
) -> None:
    rng = np.random.default_rng(seed)
    batch = []
    for _ in range(6):
        x = level + scale * rng.normal(size=size)
        if kind == "graded":
            x = rng.integers(0, 5, size) / 4
        if kind == "binary":
            x = rng.integers(0, 2, size)
        x = torch.tensor(x, dtype=computed)
        batch.append(x if len(set(x.tolist())) > 1 or guard != "none" else x + torch.arange(size))
    found = read(batch, form, guard, writer, stored, rewards_writer)
    wrong = found.mismatches.get(form, ())
    assert not wrong, (wrong[0], batch[int(wrong[0].group)])
    assert found.usual in (None, form) or found.usual not in found.mismatches


@pytest.mark.parametrize("writer", ["repr", "4 decimals"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("form", FORMS[:-1])
def test_wrong_batches_are_not_excused(form, dtype, writer) -> None:
    """The control: one advantage in six groups is off by 2 %."""
    rng = np.random.default_rng(3)
    batch = [torch.tensor(rng.normal(size=4), dtype=dtype) for _ in range(6)]
    right = advantages
    for other in {*FORMS[:-1]} - {form}:
        assert read(batch, other, "none", writer, dtype).obeyed[form] == 0

    def bent(x: torch.Tensor, form: str, guard: str) -> torch.Tensor:
        found = right(x, form, guard)
        found[1] *= 1.02
        return found

    globals()["advantages"] = bent
    try:
        assert len(read(batch[:1], form, "none", writer, dtype).mismatches[form]) == 1
    finally:
        globals()["advantages"] = right


def test_groups_of_two_in_single_precision() -> None:
    """Rewards near 1000 that differ in the last places: standardised by a deviation of 0.0004."""
    x = torch.tensor([1000.0, 1000.0005], dtype=torch.float32)
    batch = [x, x + 1, x * 2, torch.tensor([0.1, 0.3], dtype=torch.float32)]
    found = read(batch, "standardised, G - 1", "none", "repr", torch.float32)
    assert "standardised, G - 1" not in found.mismatches


def test_equal_rewards_are_exactly_zero_where_sums_are_exact() -> None:
    batch = [torch.tensor([0.0, 1.0, 1.0]), torch.tensor([1.0, 0.0, 0.0]), torch.ones(3)]
    names, rows = sorted("abc" * 3), range(9)
    rewards = graded([repr(float(r)) for x in batch for r in x], "reward", rows)
    logged = [repr(float(a)) for x in batch for a in x - x.mean()]
    assert recompute(grouped(names, rewards, printed(logged, "a", rows))).forms == ("centred",)
    logged[-1] = "0.0001"
    found = recompute(grouped(names, rewards, printed(logged, "a", rows)))
    assert found.awake == ("c",)
    assert [one.group for one in found.mismatches["centred"]] == ["c"]


def test_groups_of_equal_rewards_tell_nothing() -> None:
    """Three silent groups of four do not make the fourth a deviation: it is of another form."""
    names, rows = sorted("abcd" * 2), range(8)
    rewards = graded(["1"] * 6 + ["1", "0"], "reward", rows)
    found = recompute(grouped(names, rewards, printed(["0"] * 6 + ["3", "-3"], "a", rows)))
    assert (found.telling, found.usual, found.forms) == (1, None, ())


def test_grades_and_rounded_rewards_are_told_apart() -> None:
    for texts in (["0.0", "0.5", "1.0"], ["0", "0.25", "0.5", "1"], ["3", "7", "11"],
                  ["0.0", "0.5", "1.0", "0.95"], ["0.5000", "1.0000"]):  # fmt: skip
        assert all(x.low == x.high for x in graded(texts, "r", range(len(texts))))
    for texts in (["0.12", "0.3", "0.57"], ["1.234", "0.500", "0.017"], ["1.235e2", "4.564e-2"]):
        assert all(x.low < x.high for x in graded(texts, "r", range(len(texts))))
