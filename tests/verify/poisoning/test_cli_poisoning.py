"""``poison``: what fewer flips do, on small made-up data; what it writes; what it refuses."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holdfast.solvers.poisoning import FlipProblem, solve_flips
from holdfast.solvers.poisoning.data.attacks import random_flips
from holdfast.solvers.poisoning.data.pairs import read_pairs
from holdfast.verify.kernel import check_file
from holdfast.verify.poisoning.commands.output import above, below, enclosure

from ..conftest import FEATURES, PAIRS, Invoke


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """60 pairs of texts; the rejected one is i % 7 - 2 words longer."""
    path = tmp_path / "pairs.jsonl"
    words = np.array(["red", "green", "blue", "cyan", "pink", "grey", "teal", "plum"])
    generator = np.random.default_rng(12)
    with path.open("w") as file:
        for i in range(PAIRS):
            chosen = " ".join(generator.choice(words, 6))
            rejected = " ".join(generator.choice(words, 4 + i % 7))
            file.write(json.dumps({"id": i, "chosen": chosen, "rejected": rejected}) + "\n")
    return path


def numbers(holdfast: Invoke, *arguments: object) -> dict[str, Any]:
    """The numbers that a run wrote."""
    done = holdfast("poison", *arguments, "--json", "out.json")
    assert done.code == 0, done.output
    document: dict[str, Any] = json.loads(Path("out.json").read_text())
    return document


def savings(document: dict[str, Any]) -> list[float]:
    return [one["saving"] for one in document["measurements"]]


def test_the_cost_is_enclosed_around_the_exact_one(holdfast: Invoke, features: Path) -> None:
    found = numbers(holdfast, features, "--rate", "0.2")["measurements"][0]
    labels = [json.loads(line) for line in _out(holdfast, features, "--rate", "0.2")]
    assert found["target_cost"] == 12
    target = random_flips(np.ones(PAIRS), 0.2)
    exact = float(solve_flips(FlipProblem.of(FEATURES[:4], 1, target)).value)
    lower, upper = found["least_cost"]
    assert lower <= exact <= upper
    assert upper - lower <= 2e-6 * exact
    assert found["closed_form_bound"] <= exact
    assert found["fractional_labels"] <= 4
    assert len(labels) == found["flipped_rows"]
    assert abs(found["flipped_rows"] - exact) <= 4 / 2, "n / (2m), the rounding of n labels"


def _out(holdfast: Invoke, *arguments: object) -> Sequence[str]:
    done = holdfast("poison", *arguments, "--out", "flipped.jsonl")
    assert done.code == 0, done.output
    return Path("flipped.jsonl").read_text().splitlines()


def test_the_saving_is_monotone_and_ends_where_pairs_are_few(
    holdfast: Invoke, tmp_path: Path
) -> None:
    """P4: nested features, one target; N <= n leaves no choice."""
    np.savez(tmp_path / "wide.npz", features=FEATURES)
    found = numbers(holdfast, tmp_path / "wide.npz", "--rate", "0.2",
                    "--dimensions", "2,6,20,60,64")  # fmt: skip
    values = savings(found)
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.3
    assert values[-2:] == pytest.approx([0, 0], abs=1e-6)
    costs = [one["least_cost"] for one in found["measurements"]]
    assert all(a[0] <= b[1] for a, b in pairwise(costs))


def test_parts_of_the_data_save_less(holdfast: Invoke, features: Path) -> None:
    document = numbers(holdfast, features, "--rate", "0.5", "--sizes", "4,60")
    assert [one["n_pairs"] for one in document["measurements"]] == [4, 60]
    few, many = savings(document)
    assert few == pytest.approx(0, abs=1e-6)
    assert many > 0.3
    done = holdfast("poison", features, "--sizes", "4,60", "--rate", "0.5")
    assert done.says("N <= n in 1 row: pairs with independent features leave no choice")


@pytest.mark.parametrize("target", ["threshold", "feature:2"])
def test_a_threshold_saves_nothing(holdfast: Invoke, features: Path, target: str) -> None:
    document = numbers(holdfast, features, "--target", target, "--dimensions", "2,4")
    assert savings(document) == pytest.approx([0, 0], abs=2e-6)
    assert document["measurements"][0]["target_cost"] >= 3


def test_what_is_said(holdfast: Invoke, features: Path) -> None:
    done = holdfast("poison", features)
    assert done.code == 0
    assert done.says(
        "pairs.npz: 60 pairs, digest", "how robust a preference-learning pipeline is",
        "your own data only", "writes no text of its own", "not divided by N",
        "robustness, certified: at least", "of 60 labels", "4 fixed features",
    )  # fmt: skip
    assert holdfast("poison", "--help").says("writes no text of its own", "filtered-length")


def test_the_exact_cost_comes_with_a_certificate(holdfast: Invoke, features: Path) -> None:
    arguments = ("poison", features, "--exact", "--rate", "0.1")
    done = holdfast(*arguments, "--certificate", "flips.certificate.json")
    assert done.code == 0
    assert done.says("exact: the least cost is", "accepted by the kernel")
    assert check_file("flips.certificate.json").accepted
    assert holdfast(*arguments, "--norm", "linf").certificate.exists()
    assert holdfast(*arguments, "--norm", "l2").says("(squared)")


def test_rows_are_exchanged_and_keep_their_other_keys(holdfast: Invoke, texts: Path) -> None:
    np.save("features.npy", FEATURES[:3])
    rows = [json.loads(line) for line in _out(holdfast, texts, "--features", "features.npy")]
    originals = read_pairs(texts)
    assert rows
    for row in rows:
        i = row["flipped_row"] - 1
        assert row["id"] == i
        assert row["chosen"] == originals.rejected[i]
        assert row["rejected"] == originals.chosen[i]


def test_a_label_that_rises_is_written_as_the_row_was(holdfast: Invoke, texts: Path) -> None:
    """Benign labels 0 say that the rejected text is better: flipped, the row is right as it is."""
    np.save("features.npy", np.eye(PAIRS))
    Path("benign.txt").write_text("0\n" * 30 + "1\n" * 30)
    arguments = (texts, "--features", "features.npy", "--labels", "benign.txt", "--rate", "0.5")
    rows = [json.loads(line) for line in _out(holdfast, *arguments)]
    originals = read_pairs(texts)
    assert len(rows) == 30
    assert {row["id"] < 30 for row in rows} == {True, False}
    for row in rows:
        kept = originals.chosen if row["id"] < 30 else originals.rejected
        assert row["chosen"] == kept[row["id"]]


def test_copies_are_written_each(holdfast: Invoke, texts: Path) -> None:
    """With m = 5 a pair may be flipped in part: k of its five rows."""
    np.save("features.npy", FEATURES[:3])
    document = numbers(holdfast, texts, "--features", "features.npy", "--copies", 5)
    rows = _out(holdfast, texts, "--features", "features.npy", "--copies", 5)
    assert len(rows) == document["measurements"][0]["flipped_rows"]
    lower, upper = document["measurements"][0]["least_cost"]
    assert 5 * lower - 3 / 2 <= len(rows) <= 5 * upper + 3 / 2
    assert max(rows.count(row) for row in rows) <= 5


def test_features_alone_have_rows_of_numbers(holdfast: Invoke, features: Path) -> None:
    rows = [json.loads(line) for line in _out(holdfast, features)]
    assert rows
    assert all(set(row) == {"flipped_row", "label"} and row["label"] == 0 for row in rows)


def test_a_record_is_appended_and_can_be_tracked(holdfast: Invoke, features: Path) -> None:
    for _ in range(2):
        done = holdfast("poison", features, "--record", "history.jsonl")
        assert done.says("record: history.jsonl")
    lines = [json.loads(line) for line in Path("history.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    assert lines[0]["digest"] == lines[1]["digest"] == read_pairs(features).digest
    assert lines[0]["least_cost"] == lines[1]["least_cost"]
    assert {"date", "versions", "statement", "seed", "target", "rate"} <= set(lines[0])
    assert lines[0]["statement"].startswith("at least ")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_picture(holdfast: Invoke, features: Path, suffix: str) -> None:
    done = holdfast("poison", features, "--dimensions", "1,2,4", "--sizes", "20,60",
                    "--plot", f"out.{suffix}")  # fmt: skip
    assert done.says(f"plot: out.{suffix}")
    assert Path(f"out.{suffix}").stat().st_size > 5000


@pytest.mark.parametrize("target", ["length", "margin", "filtered-length"])
@pytest.mark.parametrize("order", ["largest", "smallest"])
def test_targets_on_texts(holdfast: Invoke, texts: Path, target: str, order: str) -> None:
    np.save("features.npy", FEATURES[:3])
    arguments = [texts, "--features", "features.npy", "--target", target, "--rate", "0.1"]
    done = holdfast("poison", *arguments, "--order", order)
    if target == "margin":
        assert done.code == 64
        assert done.says("--order has no effect with --target margin; leave it out")
        done = holdfast("poison", *arguments)
    assert done.code == 0
    assert done.says("10 %")
    assert done.says(f"the {order} first") is (target != "margin")


def test_n_grams(holdfast: Invoke, texts: Path) -> None:
    document = numbers(holdfast, texts, "--features", "ngrams", "--dimensions", "2,8",
                       "--rate", "0.2")  # fmt: skip
    assert document["features"].startswith("n-grams hashed to")
    first, second = savings(document)
    assert first >= second


class Counts:
    """Stands in for the sentence encoder: how often each letter occurs."""

    name = "letters"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[text.count(c) for c in "abcdegilnprtu "] for text in texts], np.float32)


def test_sentences(holdfast: Invoke, texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.solvers.neural.poisoning.sentences.SentenceEncoder", Counts)
    document = numbers(holdfast, texts, "--rate", "0.2")
    assert document["features"] == "sentences (letters), leading principal components"
    assert [one["n_features"] for one in document["measurements"]] == [8]
    assert len(list(Path(".holdfast/embeddings").iterdir())) == 1


def test_a_target_from_a_file(holdfast: Invoke, features: Path) -> None:
    """All labels 1/2: the changes cost 30, and the least cost is that of the exact solver."""
    Path("target.txt").write_text("0.5\n" * PAIRS)
    found = numbers(holdfast, features, "--target", "target.txt")["measurements"][0]
    exact = float(solve_flips(FlipProblem.of(FEATURES[:4], 1, 0.5)).value)
    assert found["target_cost"] == 30
    assert found["least_cost"][0] <= exact <= found["least_cost"][1]


def test_a_target_reward(holdfast: Invoke, features: Path) -> None:
    """The zero reward asks for labels of 1/2."""
    Path("reward.json").write_text("[0, 0]")
    found = numbers(holdfast, features, "--target", "reward:reward.json")
    assert found["measurements"][0]["target_cost"] == 30
    done = holdfast("poison", features, "--target", "reward:reward.json", "--dimensions", "1,4")
    assert done.code == 64
    assert done.says("needs 2 features, but --dimensions begins with 1")


def test_weights_multiply_the_cost(holdfast: Invoke, features: Path) -> None:
    Path("weights.txt").write_text("2\n" * PAIRS)
    plain = numbers(holdfast, features)["measurements"][0]
    double = numbers(holdfast, features, "--weights", "weights.txt")["measurements"][0]
    assert double["target_cost"] == 2 * plain["target_cost"]
    assert double["least_cost"] == pytest.approx([2 * x for x in plain["least_cost"]])
    assert double["weights_digest"] != plain["weights_digest"] is None
    done = holdfast("poison", features, "--weights", "weights.txt")
    assert done.says("robustness, certified: labels of a weight of at least", "of 120 (")
    done = holdfast("poison", features, "--weights", "weights.txt", "--norm", "linf")
    assert done.says("each change times the weight of its pair")


def test_other_norms(holdfast: Invoke, features: Path) -> None:
    values = {
        norm: numbers(holdfast, features, "--norm", norm, "--rate", "0.2")["measurements"][0]
        for norm in ("l1", "l2", "linf")
    }
    assert values["l2"]["target_cost"] == pytest.approx(12**0.5)
    assert values["linf"]["target_cost"] == 1
    tops = [values[norm]["least_cost"][1] for norm in ("l1", "l2", "linf")]
    assert tops == sorted(tops, reverse=True)


def soft(tmp_path: Path, label: float) -> Path:
    path = tmp_path / "soft.npz"
    np.savez(path, features=FEATURES[:4], labels=np.full(PAIRS, label))
    return path


def test_fractional_labels_are_not_rounded_unless_copies_divide(
    holdfast: Invoke, tmp_path: Path
) -> None:
    path = soft(tmp_path, 0.75)
    done = holdfast("poison", path)
    assert done.says("some benign labels are fractions: give --copies m")
    assert not done.says("thinned")
    assert holdfast("poison", path, "--copies", 4).says("4 copies of each pair")
    refused = holdfast("poison", path, "--copies", 5)
    assert refused.code == 64
    assert refused.says("the benign label of pair 1 is 0.75, no multiple of 1/5")
    assert holdfast("poison", path, "--out", "out.jsonl").says("--out needs --copies")


def test_separable_labels_are_named(holdfast: Invoke, tmp_path: Path) -> None:
    """With the first feature 1 everywhere some reward ranks every chosen answer higher."""
    np.savez(tmp_path / "apart.npz", features=[np.ones(PAIRS), FEATURES[0]])
    done = holdfast("poison", tmp_path / "apart.npz", "--rate", "0.1")
    assert done.code == 0
    assert done.says("separable: some reward ranks all pairs as the benign labels do")
    assert done.says("Costs and bounds remain valid")


def test_pairs_without_a_difference_are_counted(holdfast: Invoke, tmp_path: Path) -> None:
    same = FEATURES[:4].copy()
    same[:, [7, 9]] = 0
    np.savez(tmp_path / "same.npz", features=same)
    done = holdfast("poison", tmp_path / "same.npz")
    assert done.says("both answers have equal features in 2 pairs (first in row 8)")


def test_badly_scaled_features_are_rescaled_and_it_is_said(
    holdfast: Invoke, features: Path, tmp_path: Path
) -> None:
    scaled = tmp_path / "scaled.npz"
    np.savez(scaled, features=FEATURES[:4] * np.array([[2.0**30], [1], [2**-20], [4]]))
    assert holdfast("poison", scaled).says(
        "features have root mean squares from", "This changes no cost"
    )
    before, after = (numbers(holdfast, path)["measurements"][0] for path in (features, scaled))
    assert after["least_cost"] == pytest.approx(before["least_cost"], rel=4e-6)


def test_a_target_that_changes_nothing_costs_nothing(holdfast: Invoke, features: Path) -> None:
    Path("target.txt").write_text("1\n" * PAIRS)
    found = numbers(holdfast, features, "--target", "target.txt", "--plot", "a.png")
    only = found["measurements"][0]
    assert only["target_cost"] == only["saving"] == only["flipped_rows"] == 0
    assert only["least_cost"] == [0, 0]


def test_flips_that_cancel_are_not_needed(holdfast: Invoke, tmp_path: Path) -> None:
    """phi_2 = -phi_1, both flipped: the moments are those of the benign labels."""
    np.savez(tmp_path / "pair.npz", features=[[1.0, -1.0, 3.0]])
    Path("target.txt").write_text("0\n0\n1\n")
    only = numbers(holdfast, tmp_path / "pair.npz", "--target", "target.txt")["measurements"][0]
    assert only["target_cost"] == 2
    assert only["least_cost"][1] == pytest.approx(0, abs=1e-9)
    assert only["saving"] == pytest.approx(1)


def test_one_pair_and_one_feature(holdfast: Invoke, tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", features=[[2.0]])
    done = holdfast("poison", tmp_path / "one.npz")
    assert done.code == 0
    assert done.says("of 1 label (", "1 if whole labels are flipped", "N <= n in 1 row")
    assert done.says("1 fixed feature)")


@pytest.mark.parametrize(
    ("number", "low", "high"),
    [
        (0.9999999, "0.999", "1"),
        (1.0000001, "1", "1.001"),
        (2.5, "2.500", "2.500"),
        (123.4567, "123.45", "123.46"),
        (1234.56, "1,234.5", "1,234.6"),
        (160_800.7, "160,800", "160,801"),
        (0.0, "0", "0"),
    ],
)
def test_printed_bounds_are_rounded_outwards(number: float, low: str, high: str) -> None:
    assert (below(number), above(number)) == (low, high)
    assert enclosure(number, number) == (low if low == high else f"{low} .. {high}")


def test_synthetic_tables(holdfast: Invoke) -> None:
    done = holdfast(
        "poison-synthetic", "--dimension", 10, "--multiples", "1,5,20", "--rates", "0.1,0.5",
        "--structured", "10,20", "--loss", "5,20", "--copies", "1,10", "--seeds", 2,
        "--json", "cells.json", "--plot", "ratios.svg",
    )  # fmt: skip
    assert done.code == 0
    assert done.says("random, 10 %", "threshold, 5 %", "copies m")
    cells = json.loads(Path("cells.json").read_text())
    for rate in ("10 %", "50 %"):
        row = [c["upper"] for c in cells["ratios"] if c["attack"] == f"random, {rate}"]
        assert row == sorted(row, reverse=True)
        assert row[0] == pytest.approx(1)
        assert row[-1] < 0.75
    thresholds = [c["lower"] for c in cells["ratios"] if c["attack"] == "threshold, 5 %"]
    assert thresholds == pytest.approx([1, 1])
    losses = {(c["copies"], c["n_pairs"]): c["loss"] for c in cells["losses"]}
    assert losses[10, 80] < losses[1, 80]
    assert Path("ratios.svg").stat().st_size > 5000


@pytest.mark.parametrize(("width", "said"), [(80, "│ 4 │ 60 │"), (40, "target costs │")])
def test_on_a_narrow_terminal_no_number_is_cut(width: int, said: str) -> None:
    """At 40 columns rows become columns; a table of the wide form would cut its numbers there."""
    from rich.console import Console

    from holdfast.solvers.poisoning.measure.measurement import Conditions, measure
    from holdfast.verify.poisoning.commands.output import cost_table, rewards_table

    target = random_flips(np.ones(PAIRS), 0.2)
    found = [measure(FEATURES[:4], np.ones(PAIRS), target, Conditions())]
    console = Console(width=width)
    with console.capture() as captured:
        console.print(cost_table(found), rewards_table(found))
    text = captured.get()
    assert said in text
    assert "…" not in text
    assert f"{found[0].effects[0].loss:.3f}" in text
