"""Preference data as people keep them: read as they were meant, or refused with the remedy."""

import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holdfast.solvers.poisoning.large.stages import Enclosing
from holdfast.solvers.poisoning.measure.synthetic import LossCell
from holdfast.verify.cli import main
from holdfast.verify.poisoning.commands import synthetic

WORDS = (
    "sun", "river", "door", "cold", "quiet", "cup", "cat", "over", "bird", "song", "snow", "warm",
    "green", "runs", "hill", "map", "tea",
)  # fmt: skip
PAIRS = 24
NGRAMS = ("--features", "ngrams", "--dimensions", "4")

Array = np.ndarray[Any, Any]
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def poison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Runs a command in an empty folder: the exit code, and all that it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, command: str = "poison") -> tuple[int, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([command, *arguments])
        return int(stop.value.code or 0), " ".join("".join(capfd.readouterr()).split())

    return run


def triples() -> list[tuple[str, str, str]]:
    """Prompt, chosen and rejected answer."""
    generator = np.random.default_rng(5)

    def words(low: int, high: int) -> str:
        return " ".join(generator.choice(WORDS, generator.integers(low, high)))

    return [(f"Q: {words(3, 5)}?", words(2, 8), words(2, 8)) for _ in range(PAIRS)]


def write(name: str, rows: list[Any]) -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def chat(*contents: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content} for content in contents]


def least_cost(chosen: list[str], rejected: list[str]) -> float:
    """min sum (1 - theta) with the moments of the target, 0 <= theta <= 1, by scipy alone.

    Hashed n-grams of both texts, the four leading right singular vectors V of their differences;
    the target flips the quarter of the pairs whose chosen text is shorter by most.
    """
    from scipy.optimize import linprog
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(n_features=2048, ngram_range=(1, 2), norm="l2")
    differences = (hashing.transform(chosen) - hashing.transform(rejected)).toarray()
    left, _, _ = np.linalg.svd(differences, full_matrices=False)
    gaps = np.array([len(b) - len(a) for a, b in zip(chosen, rejected, strict=True)])
    target = np.ones(PAIRS)
    target[np.argsort(-gaps, kind="stable")[: PAIRS // 4]] = 0
    assert (gaps[target == 0] > 0).all()
    moments = left[:, :4].T
    found = linprog(-np.ones(PAIRS), A_eq=moments, b_eq=moments @ target, bounds=(0, 1))
    return float(PAIRS + found.fun)


@pytest.mark.parametrize("form", ["messages", "strings"])
def test_a_prompt_that_begins_both_answers_is_counted_once(poison: Run, form: str) -> None:
    """The right cost is that of the texts with the prompt once; with it twice it is another."""
    rows, chosen, rejected = [], [], []
    for prompt, good, bad in triples():
        texts = (f"{prompt}\n\n{good}", f"{prompt}\n\n{bad}")
        both: Any = (chat(prompt, good), chat(prompt, bad)) if form == "messages" else texts
        rows.append({"prompt": prompt, "chosen": both[0], "rejected": both[1], "prompt_id": "x"})
        chosen.append(texts[0])
        rejected.append(texts[1])
    right = least_cost(chosen, rejected)
    prompts = [row["prompt"] for row in rows]
    twice = [
        [f"{p} {text}" for p, text in zip(prompts, texts, strict=True)]
        for texts in (chosen, rejected)
    ]
    assert abs(least_cost(*twice) - right) > 1e-3
    data = write("pairs.jsonl", rows)
    code, said = poison(data, "--target", "length", "--rate", "1/4", *NGRAMS, "--json", "o.json")
    assert code == 0, said
    document = json.loads(Path("o.json").read_text())
    assert document["measurements"][0]["least_cost"] == pytest.approx([right, right], rel=2e-6)
    note = f"both answers already contain the prompt in {PAIRS} pairs of {PAIRS} (first in row 1)"
    assert note in said
    assert note in document["notes"][1]
    assert "note: not read: prompt_id" in said


FORMS: dict[str, Callable[[str, str, str], dict[str, Any]]] = {
    "apart": lambda prompt, good, bad: {"prompt": prompt, "chosen": good, "rejected": bad},
    "a dialogue": lambda prompt, good, bad: {
        "prompt": chat(prompt), "chosen": chat(good), "rejected": chat(bad)},
    "messages": lambda prompt, good, bad: {
        "chosen": chat(prompt, good), "rejected": chat(prompt, bad)},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_prompts_and_answers_are_not_glued_together(poison: Run, form: str) -> None:
    """The right cost is that of prompt + " " + answer; glued, two words would be one."""
    ends = [(prompt.rstrip("?"), good, bad) for prompt, good, bad in triples()]
    right, glued = (
        least_cost(*([p + between + pair[k] for p, *pair in ends] for k in (0, 1)))
        for between in (" ", "")
    )
    assert abs(glued - right) > 1e-3
    data = write("pairs.jsonl", [FORMS[form](*one) for one in ends])
    code, said = poison(data, "--target", "length", "--rate", "1/4", *NGRAMS, "--json", "o.json")
    assert code == 0, said
    document = json.loads(Path("o.json").read_text())
    assert document["measurements"][0]["least_cost"] == pytest.approx([right, right], rel=2e-6)
    assert "a space stands between prompt and answer, and between messages" in said


@pytest.mark.parametrize(
    ("prompt", "chosen", "said"),
    [
        (None, "{1}", "there is no prompt in 1 pair of 24 (first in row 3)"),
        ("{0}", "{0} {1}", "only one answer begins with the prompt in 1 pair of 24 (first in"),
        ("{0}", "{1}", None),
    ],
)
def test_rows_whose_prompt_is_unlike_the_others_are_counted(
    poison: Run, prompt: str | None, chosen: str, said: str | None
) -> None:
    rows = [FORMS["apart"](*one) for one in triples()]
    third = triples()[2]
    rows[2]["prompt"] = prompt and prompt.format(*third)
    rows[2]["chosen"] = chosen.format(*third)
    code, output = poison(write("pairs.jsonl", rows), *NGRAMS)
    assert code == 0, output
    assert said in output if said else "1 pair of 24" not in output


def test_a_call_of_a_tool_has_no_content_and_is_said_to_be_unread(poison: Run) -> None:
    """The same answer as with an empty content, and a note."""
    first, second = [], []
    for prompt, good, bad in triples():
        call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]}
        empty = {"role": "assistant", "content": ""}
        for rows, message in ((first, call), (second, empty)):
            dialogue = [*chat(prompt), message, *chat("4", good)]
            rows.append({"chosen": dialogue, "rejected": chat(prompt, bad)})
    costs = []
    for name, rows in (("call.jsonl", first), ("empty.jsonl", second)):
        code, said = poison(write(name, rows), *NGRAMS, "--json", "o.json")
        assert code == 0, said
        assert ("note: not read: chosen: tool_calls" in said) is (name == "call.jsonl")
        costs.append(json.loads(Path("o.json").read_text())["measurements"][0]["least_cost"])
    assert costs[0] == costs[1]


def test_no_content_and_no_call_names_the_message(poison: Run) -> None:
    data = write("pairs.jsonl", [{"chosen": chat("a", None), "rejected": "b"}])
    code, said = poison(data, *NGRAMS)
    assert code == 64
    assert "pairs.jsonl, line 1: message 2 of chosen has the content None; give it a text" in said


def test_packed_rows_are_written_packed_and_read_back(poison: Run) -> None:
    rows = [{"chosen": good, "rejected": bad} for _, good, bad in triples()]
    data = write("pairs.jsonl", rows)
    for out in ("flipped.jsonl", "flipped.jsonl.gz"):
        code, said = poison(data, "--rate", "1/2", *NGRAMS, "--out", out)
        assert code == 0, said
    packed = Path("flipped.jsonl.gz").read_bytes()
    assert gzip.decompress(packed) == Path("flipped.jsonl").read_bytes()
    again, said = poison("flipped.jsonl.gz", "--rate", "1/2", "--features", "ngrams",
                         "--dimensions", "2")  # fmt: skip
    assert again == 0, said
    assert "note: not read: flipped_row" in said


def test_complex_features_are_refused(poison: Run) -> None:
    np.savez("pairs.npz", features=np.array([[1 + 2j, 3]]))
    code, said = poison("pairs.npz")
    assert code == 64
    assert "features holds complex numbers, whose imaginary part would be lost" in said


def test_labels_for_ties_and_truth_values_are_read_right(poison: Run) -> None:
    """Ties 1/2: a random flip of every pair changes nothing. Booleans are 1 and 0."""
    np.savez("pairs.npz", features=np.ones((1, 4)), labels=[0.5] * 4)
    code, said = poison("pairs.npz", "--rate", "1", "--copies", "2", "--json", "o.json")
    assert code == 0, said
    assert json.loads(Path("o.json").read_text())["measurements"][0]["target_cost"] == 0
    np.savez("pairs.npz", features=np.ones((1, 4)), labels=[True, False, True, True])
    code, said = poison("pairs.npz", "--rate", "1", "--json", "o.json")
    assert code == 0, said
    assert json.loads(Path("o.json").read_text())["measurements"][0]["target_cost"] == 4


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([-1, 1], "labels[0] (pair 1) is -1.0; a label lies in [0, 1]: 1 where chosen is better"),
        ([1, 2], "labels[1] (pair 2) is 2.0; a label lies in [0, 1]"),
        (["chosen", "tie"], "labels cannot be read as an array of numbers: its dtype is"),
        ([1, np.nan], "labels[1] (pair 2) is nan"),
    ],
)
def test_other_codes_of_labels_are_refused(poison: Run, labels: list[Any], said: str) -> None:
    np.savez("pairs.npz", features=np.ones((1, 2)), labels=labels)
    code, output = poison("pairs.npz")
    assert code == 64
    assert said in output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("true\nfalse\n", "labels.txt, line 1 is 'true'; write one number a line"),
        ("1\n\u0661\n", "line 2 is '\u0661'; write one number a line"),
        ("1\n1_0\n", "line 2 is '1_0'"),
        ("1\n1e999\n", "line 2 is '1e999', which is beyond doubles"),
        ("1\n" + "1" * 500, "line 2 is '1111"),
    ],
)
def test_labels_as_text_are_plain_numbers(poison: Run, text: str, said: str) -> None:
    np.savez("pairs.npz", features=np.ones((1, 2)))
    Path("labels.txt").write_text(text)
    code, output = poison("pairs.npz", "--labels", "labels.txt")
    assert code == 64
    assert said in output


def test_labels_given_instead_of_those_of_the_data_are_said(poison: Run) -> None:
    np.savez("pairs.npz", features=np.ones((1, 2)), labels=[1, 0], weights=[1, 2], names=[0, 1])
    Path("ones.txt").write_text("1\n1\n")
    code, said = poison("pairs.npz", "--labels", "ones.txt", "--weights", "ones.txt")
    assert code == 0, said
    assert "the labels of ones.txt replace those of the data" in said
    assert "the weights of ones.txt replace those of the data" in said
    assert "not read: names" in said


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"features": np.ones((1, 2)), "chosen": np.ones((2, 1))}, "holds features and chosen;"),
        ({"features": np.array([[2**53 + 1, 1]])}, "[0, 0] is 9007199254740993, which a double"),
        ({"chosen": [[1e308]], "rejected": [[-1e308]]}, "chosen - rejected[0, 0] is inf"),
        ({"features": np.ones((1, 2)), "label": [1, 0]}, "has 'label', which is not read"),
    ],
)
def test_arrays_that_would_be_changed_are_refused(
    poison: Run, arrays: dict[str, Any], said: str
) -> None:
    np.savez("pairs.npz", **arrays)
    code, output = poison("pairs.npz")
    assert code == 64
    assert said in output


def test_a_tolerance_states_its_price(poison: Run) -> None:
    """Two features of which one is noise of size 1e-9: dropped, and the price is that small."""
    features = np.random.default_rng(3).standard_normal((2, 40))
    features = np.array([features[0], features[0] + 1e-9 * features[1]])
    np.savez("pairs.npz", features=features)
    code, said = poison("pairs.npz", "--tolerance", "1e-6", "--rate", "1/4", "--json", "o.json")
    assert code == 0, said
    one = json.loads(Path("o.json").read_text())["measurements"][0]
    assert len(one["features_dropped"]) == 1
    assert 0 < one["price_of_dropping"] < 1e-6
    assert "1 feature dropped; with the ridge, the reward that all features learn from the" in said


def nearly_dependent() -> tuple[Array, Array]:
    """Four features of 50 pairs, the last being the first up to 1e-2, and a target of 8 flips."""
    features = np.random.default_rng(3).standard_normal((4, 50))
    features[3] = features[0] + 1e-2 * features[3]
    return features, np.array([0.0] * 8 + [1.0] * 42)


def test_with_a_tolerance_a_row_is_that_of_the_features_kept(poison: Run) -> None:
    """Closed form norm(p)_2^2 / norm(p)_max and least cost of the first three, by numpy and scipy.

    The closed form of all four features is above the least cost of the three.
    """
    from scipy.optimize import linprog

    features, target = nearly_dependent()

    def closed(kept: Array) -> float:
        projected = np.linalg.pinv(kept) @ kept @ (target - 1)
        return float(projected @ projected / np.abs(projected).max())

    three = features[:3]
    cost = 50 + linprog(-np.ones(50), A_eq=three, b_eq=three @ target, bounds=(0, 1)).fun
    assert closed(three) < cost < closed(features)
    np.savez("pairs.npz", features=features)
    np.save("target.npy", target)
    code, said = poison("pairs.npz", "--target", "target.npy", "--tolerance", "0.1", "--exact",
                        "--json", "o.json")  # fmt: skip
    assert code == 0, said
    one = json.loads(Path("o.json").read_text())["measurements"][0]
    assert (one["n_features"], one["n_features_dropped"], one["features_dropped"]) == (3, 1, [3])
    assert one["closed_form_bound"] == pytest.approx(closed(three), rel=1e-9)
    assert one["least_cost"] == pytest.approx([cost, cost], rel=2e-6)
    assert "3 of 4" in said
    assert "3 fixed features kept of 4" in said
    assert f"exact: the least cost is {cost:.8g}" in said


def test_without_a_ridge_there_is_no_price_of_dropping(poison: Run) -> None:
    features, target = nearly_dependent()
    np.savez("pairs.npz", features=features)
    np.save("target.npy", target)
    code, said = poison("pairs.npz", "--target", "target.npy", "--tolerance", "0.1", "--ridge", "0",
                        "--json", "o.json", "--record", "r.jsonl")  # fmt: skip
    assert code == 0, said
    for text in (Path("o.json").read_text(), Path("r.jsonl").read_text()):
        assert '"price_of_dropping": null' in text
        assert not {"Infinity", "NaN"} & set(text.replace(",", " ").split())
    assert "nothing is claimed of rewards that are learnt with all features" in said
    assert "with the ridge" not in said


SMALL = ("--dimension", "5", "--multiples", "2,4", "--structured", "10", "--loss", "3",
         "--copies", "1", "--seeds", "2")  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["poison", "poison-synthetic"])
def test_an_interrupted_solve_ends_the_run(
    poison: Run, monkeypatch: pytest.MonkeyPatch, command: str, number: signal.Signals
) -> None:
    """Its bounds, from 0 to the attack's cost, are no measurement: nothing is shown or written."""
    np.savez("pairs.npz", features=np.random.default_rng(1).standard_normal((2, 60)))
    arguments = SMALL if command == "poison-synthetic" else ("pairs.npz", "--dimensions", "1,2")
    assert poison(*arguments, "--json", "whole.json", command=command)[0] == 0
    solved: list[str] = []
    original = Enclosing.run

    def run(search: Enclosing) -> None:
        solved.append(search.norm)
        if len(solved) == 2:
            signal.raise_signal(number)
        original(search)

    monkeypatch.setattr(Enclosing, "run", run)
    code, said = poison(*arguments, "--json", "o.json", command=command)
    assert (code, len(solved)) == (128 + number, 2)
    assert "suffice" not in said
    assert said.endswith("holdfast: interrupted")
    assert sorted(path.name for path in Path().iterdir()) == ["pairs.npz", "whole.json"]


def test_numbers_that_json_has_not_are_written_as_null(poison: Run) -> None:
    """Of Parquet columns that are carried along; pandas writes what is missing as NaN."""
    import pyarrow
    import pyarrow.parquet

    scores = [float("nan"), float("inf"), 1.5] * 8
    rows = [
        {"chosen": good, "rejected": bad, "score": score, "all": [score]}
        for (_, good, bad), score in zip(triples(), scores, strict=True)
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), "pairs.parquet")
    code, said = poison("pairs.parquet", "--rate", "1", *NGRAMS, "--out", "o.jsonl")
    assert code == 0, said
    text = Path("o.jsonl").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    found = [json.loads(line) for line in text.splitlines()]
    for one in found:
        right = 1.5 if one["flipped_row"] % 3 == 0 else None
        assert (one["score"], one["all"]) == (right, [right])
    assert {one["score"] for one in found} == {None, 1.5}


def test_a_loss_that_is_not_known_is_null_and_a_dash(
    poison: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = LossCell(2, 6, 1, float("nan"), float("nan"), 0)
    monkeypatch.setattr(synthetic, "loss_cells", lambda *_: [cell])
    code, said = poison(*SMALL, "--json", "o.json", command="poison-synthetic")
    assert code == 0, said
    text = Path("o.json").read_text()
    assert json.loads(text)["losses"][0]["loss"] is None
    assert "NaN" not in text
    assert "nan" not in said


def gaps_of(*gaps: int) -> list[dict[str, str]]:
    """Rows whose rejected text is longer by so many characters."""
    return [
        {"chosen": "x" * 50 + f" a{k}", "rejected": "x" * (50 + gap) + f" b{k}"}
        for k, gap in enumerate(gaps)
    ]


@pytest.mark.parametrize(
    ("arguments", "said", "asked", "flipped"),
    [
        (("length", "0.9"), "3 of 8 labels, 37.5 % (90 % were asked for, 7: no more qualify)",
         7.2, 3),
        (("filtered-length", "1/2"), "2 of 8 labels, 25 % (50 % were asked for, 4: no more", 4, 2),
        (("length", "0.25"), "flips: 2 of 8 labels, 25 % What", 2, 2),
        (("random", "0.001"), "1 of 8 labels, 12.5 % (0.1 % would be 0.008; a whole number is",
         0.008, 1),
        (("random", "0.3"), "2 of 8 labels, 25 % (30 % would be 2.4; a whole number", 2.4, 2),
        (("random", "1"), "8 of 8 labels, 100 % What", 8, 8),
    ],
)  # fmt: skip
def test_what_is_flipped_is_said_beside_what_was_asked_for(
    poison: Run, arguments: tuple[str, str], said: str, asked: float, flipped: int
) -> None:
    """Three of eight chosen texts are shorter; a quarter of eight pairs are two."""
    data = write("pairs.jsonl", gaps_of(1, -1, 2, 0, 3, -2, 0, -3))
    target, rate = arguments
    code, output = poison(data, "--target", target, "--rate", rate, "--features", "ngrams",
                          "--dimensions", "2", "--json", "o.json")  # fmt: skip
    assert code == 0, output
    assert said in output
    one = json.loads(Path("o.json").read_text())["measurements"][0]
    assert (one["flips_asked_for"], one["labels_changed_by_target"]) == (asked, flipped)


def test_ties_are_flipped_together_and_labels_of_a_half_stay(poison: Run) -> None:
    """Feature 1 is -1 in three pairs, of which one is asked for; of 4 labels 2 are 1/2."""
    np.savez("pairs.npz", features=np.array([[-1.0, -1.0, -1.0, 1.0]]))
    _, said = poison("pairs.npz", "--target", "threshold", "--rate", "1/4")
    assert "target flips: 3 of 4 labels, 75 % (25 % were asked for; pairs that tie" in said
    np.savez("pairs.npz", features=np.ones((1, 4)), labels=[0.5, 0.5, 1, 1])
    _, said = poison("pairs.npz", "--rate", "1", "--copies", "2")
    assert "flips: 2 of 4 labels, 50 % (100 % were asked for, 4: a label of 1/2 is the" in said


def test_a_target_without_a_rate_has_none_in_json(poison: Run) -> None:
    np.savez("pairs.npz", features=np.ones((1, 4)))
    Path("target.txt").write_text("0\n1\n1\n1\n")
    code, said = poison("pairs.npz", "--target", "target.txt", "--json", "o.json")
    assert code == 0, said
    assert "target changes: 1 of 4 labels, 25 %" in said
    document = json.loads(Path("o.json").read_text())
    assert (document["rate"], document["order"]) == (None, None)
    assert document["measurements"][0]["flips_asked_for"] is None


def test_the_default_certificate_is_looked_at_before_the_work(poison: Run) -> None:
    np.savez("pairs.npz", features=np.ones((1, 4)))
    Path(".holdfast").write_text("a file")
    code, said = poison("pairs.npz", "--exact", "--json", "o.json")
    assert code == 64
    assert "--certificate: the folder .holdfast/certificates cannot be made" in said
    assert not Path("o.json").exists()
    assert poison("pairs.npz", "--exact", "--norm", "l2")[0] == 0  # it has no certificate


def test_a_cache_that_cannot_be_made_is_said_before_texts_are_encoded(poison: Run) -> None:
    data = write("pairs.jsonl", gaps_of(1, 2))
    Path("cache").write_text("a file")
    code, said = poison(data, "--cache", "cache")
    assert code == 64
    assert "--cache: the folder cache cannot be made" in said


@pytest.mark.parametrize("option", ["--labels", "--weights"])
def test_what_is_read_is_not_written_over(poison: Run, option: str) -> None:
    np.savez("pairs.npz", features=np.ones((1, 2)))
    Path("ones.txt").write_text("1\n1\n")
    code, said = poison("pairs.npz", option, "ones.txt", "--json", "ones.txt")
    assert code == 64
    assert f"--json ones.txt is the same file as {option} ones.txt" in said
    assert Path("ones.txt").read_text() == "1\n1\n"


SCALES = {
    "from 1e-305": [1e-305, 1.0, 1.0],
    "to 1e300": [1e-300, 1.0, 1e300],
    "all 1e200": [1e200, 1e200, 1e200],
    "all 1e-200": [1e-200, 1e-200, 1e-200],
    "all 1e5": [1e5, 1e5, 1e5],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("projection", ["first", "principal"])
@pytest.mark.parametrize("scales", SCALES)
def test_features_of_any_scale_cost_the_same(poison: Run, scales: str, projection: str) -> None:
    """A feature times a constant has the same equations, and so the same cost.

    Principal components are those of all features times one constant; components that vanish beside
    the largest are left out, so that the cost may be lower.
    """
    rows = np.random.default_rng(2).standard_normal((3, 40))
    factors, costs = np.array(SCALES[scales]), []
    for matrix in (rows, rows * factors[:, None]):
        np.savez("pairs.npz", features=matrix)
        code, said = poison("pairs.npz", "--projection", projection, "--dimensions", "1,3",
                            "--rate", "0.2", "--json", "o.json")  # fmt: skip
        assert code == 0, said
        costs.append(json.loads(Path("o.json").read_text())["measurements"][1]["least_cost"])
    assert "a factor" not in said
    if projection == "first":
        least = f"{np.sqrt(np.mean(matrix[0] ** 2)):.1e}" if scales == "all 1e5" else ""
        assert f"features have root mean squares from {least}" in said
    if projection == "first" or len(set(factors)) == 1:
        assert costs[1] == pytest.approx(costs[0], rel=2e-6)
    else:
        assert costs[1][0] < costs[0][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dimensions", "2,2"), "--dimensions has 2 more than once; give each value once"),
        (("--sizes", "20,8,20"), "--sizes has 20 more than once"),
        (("--projection", "principal"), "--projection principal of all 2 features changes no cost"),
        (("--projection", "principal", "--dimensions", "2"), "changes no cost; leave it out, or"),
        (("--projection", "principal", "--dimensions", "1,2"), None),
        (("--projection", "principal", "--target", "threshold"), None),
    ],
)
def test_options_without_effect_are_refused(
    poison: Run, arguments: tuple[str, ...], said: str | None
) -> None:
    np.savez("pairs.npz", features=np.random.default_rng(4).standard_normal((2, 20)))
    code, output = poison("pairs.npz", *arguments)
    assert code == (64 if said else 0), output
    assert said is None or said in output


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("--multiples", "2,2", "2"),
        ("--structured", "10,10", "10"),
        ("--loss", "1,1", "1"),
        ("--copies", "5,1,5", "5"),
        ("--rates", "0.5,1/2", "1/2"),
    ],
)
def test_values_given_twice_are_refused(poison: Run, option: str, text: str, value: str) -> None:
    code, said = poison(option, text, command="poison-synthetic")
    assert code == 64
    assert f"{option} has {value} more than once; give each value once" in said


SHELL = f"{sys.executable} -m holdfast poison pairs.npz"


def test_numbers_go_to_a_pipe_but_not_into_the_file_of_the_output(tmp_path: Path) -> None:
    def shell(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command}"],
            cwd=tmp_path, text=True, capture_output=True, check=False,
        )  # fmt: skip

    np.savez(tmp_path / "pairs.npz", features=np.ones((1, 4)))
    piped = shell(f"{SHELL} --json /dev/stdout | cat")
    assert (piped.returncode, piped.stderr) == (0, "")
    assert json.loads(piped.stdout[piped.stdout.index("\n{") : piped.stdout.rindex("}") + 1])
    for path in ("/dev/stdout", "out.txt"):
        done = shell(f"{SHELL} --json {path} > out.txt")
        assert done.returncode == 64
        assert f"--json {path} is where the output of this command goes" in done.stderr
