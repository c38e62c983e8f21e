"""``poison`` and ``poison-synthetic``: what they refuse, with exit code 64 and a remedy."""

from pathlib import Path

import numpy as np
import pytest

from ..conftest import FEATURES, PAIRS, Done, Invoke


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """60 pairs of texts."""
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"chosen": "red blue", "rejected": "red green blue"}\n' * PAIRS)
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "shortest"), "is neither an existing file nor one of: random (flips drawn"),
        (("--target", "feature:0"), "write feature:K"),
        (("--target", "feature:9"), "needs 9 features"),
        (("--target", "length"), "holds features and no texts, so that lengths are not known"),
        (
            ("--target", "reward:none.npy"),
            "there is no file none.npy; name one that holds the reward",
        ),
        (("--features", "words"), "is neither an existing file nor one of: sentence"),
        (("--features", "ngrams"), "holds features and no texts"),
        (("--rate", "0"), "the rate is '0'; give a share"),
        (("--rate", "3/2"), "the rate is '3/2'; give a share"),
        (("--rate", "some"), "the rate is 'some'"),
        (("--target", "threshold", "--rate", "1"), "must be negative"),
        (("--dimensions", "2,x"), "write whole numbers such as 8,32,128"),
        (("--dimensions", "0"), "0 is below 1"),
        (("--dimensions", "5"), "there are 4 features; give numbers from 1 to 4"),
        (("--dimensions", "5", "--projection", "principal"), "from 1 to 4"),
        (("--sizes", "61"), "there are 60 pairs"),
        (("--copies", "0"), "'0' is not a whole number from 1"),
        (("--plot", "out.txt"), "cannot draw out.txt"),
        (("--seed", "-1"), "'-1' is not a whole number from 0"),
        (("--certificate", "a.json"), "--certificate goes with --exact"),
        (("--budget", "9s"), "--budget goes with --exact"),
        (("--budget", "9", "--exact"), "is not a time above zero"),
        (("--labels", "none.txt"), "there is no file none.txt; name one that holds labels"),
        (("--norm", "l3"), "'l3' is not one of"),
        (("--width", "0"), "'0' is not a finite number above zero"),
        (("--ridge", "-1"), "'-1' is not a finite number zero or more"),
        (("--out", "no/such/folder.jsonl"), "--out no/such/folder.jsonl: there is no folder"),
        (("--target", "feature:\u00b2"), "write feature:K"),
        (("--target", "feature:" + "9" * 5000), "write feature:K"),
        (("--rate", "1e-999999999"), "write a rational"),
        (("--rate", "\u0661/\u0662"), "write a rational"),
        (("--rate", "1/0"), "write a rational"),
        (("--rate", "." * 9 + "e1"), "write a rational"),
        (("--dimensions", "\u0663"), "write whole numbers"),
        (("--dimensions", "1_0"), "write whole numbers"),
        (("--dimensions", "9" * 5000), "(5000 characters)': write whole numbers"),
        (("--sizes", "9" * 50), "is above 1,000,000,000"),
        (("--copies", "1" + "0" * 10), "is not a whole number from 1 to 1000000000"),
        (("--width", "nan"), "'nan' is not a finite number above zero"),
        (("--width", "\u0661"), "is not a finite number above zero"),
        (("--ridge", "1e999"), "'1e999' is not a finite number zero or more"),
        (("--tolerance", "1"), "tolerance is 1.0; it is a share of a feature"),
        (("--certificate", "a.json", "--exact", "--norm", "l2"), "there is none for --norm l2"),
        (("--out", "flipped.parquet"), "rows are written as .jsonl or .jsonl.gz"),
        (("--json", "pairs.npz"), "--json pairs.npz is the same file as the data"),
    ],
)
def test_bad_options(
    holdfast: Invoke, features: Path, arguments: tuple[str, ...], said: str
) -> None:
    _refused(holdfast("poison", features, *arguments), said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--plot", "out.txt"), "cannot draw out.txt"),
        (("--rates", "0.1,x"), "a rate is 'x'"),
        (("--rates", "2"), "a rate is '2'; give a share"),
        (("--multiples", "1,0"), "0 is below 1"),
        (("--rates", "1e-999999999"), "a rate is '1e-999999999'; write a rational"),
        (("--dimension", "1000000"), "has features of 40,000,000,000,000 entries, n * N; at most"),
        (("--loss", "1000000000"), "lower --dimension, --multiples, --structured or --loss"),
        (("--copies", "\u0662"), "write whole numbers"),
        (("--seeds", "0"), "'0' is not a whole number from 1"),
    ],
)
def test_bad_options_of_the_tables(holdfast: Invoke, arguments: tuple[str, ...], said: str) -> None:
    _refused(holdfast("poison-synthetic", *arguments), said)


def _refused(done: Done, said: str) -> None:
    assert done.code == 64, done.output
    assert done.says(said), done.output


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--target", "1\n" * 59, "the target has shape (59,) for 60 pairs"),
        ("--target", "1\n" * 59 + "1.01\n", "target[59] (pair 60) is 1.01; a label lies in"),
        ("--target", "1\n" * 59 + "nan\n", "target[59] (pair 60) is nan"),
        ("--target", "1\nx\n", "line 2 is 'x'"),
        ("--target", "", "the target has shape (0,)"),
        ("--labels", "1\n" * 61, "labels has shape (61,) for 60 pairs"),
        ("--labels", "-1\n" * 60, "labels[0] (pair 1) is -1.0"),
        ("--weights", "-1\n" * 60, "weights[0] (pair 1) is -1.0"),
        ("--weights", "0\n" * 60, "weights are all zero"),
    ],
)
def test_bad_numbers(holdfast: Invoke, features: Path, option: str, text: str, said: str) -> None:
    Path("numbers.txt").write_text(text)
    _refused(holdfast("poison", features, option, "numbers.txt"), said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no pairs; it is empty"),
        ('{"chosen": "a", "rejected": "b"}\n{"chosen": "a"\n', "data.jsonl, line 2 is no JSON"),
        ('{"chosen": "a", "answer": "b"}\n', "line 1 has no 'rejected', but chosen, answer"),
    ],
)
def test_bad_data(holdfast: Invoke, text: str, said: str) -> None:
    Path("data.jsonl").write_text(text)
    _refused(holdfast("poison", "data.jsonl", "--features", "ngrams"), said)


def test_arrays_that_do_not_fit_the_texts(holdfast: Invoke, texts: Path) -> None:
    np.save("features.npy", FEATURES[:3, :7])
    _refused(holdfast("poison", texts, "--features", "features.npy"),
             "has shape (3, 7) for 60 pairs; give (n, 60), a column for each pair")  # fmt: skip


def test_exact_arithmetic_has_its_limits(holdfast: Invoke, tmp_path: Path) -> None:
    np.savez(tmp_path / "large.npz", features=np.tile(FEATURES[:6], (1, 60)))
    done = holdfast("poison", tmp_path / "large.npz", "--exact", "--rate", "0.001")
    _refused(done, "are 21,600 entries; rational arithmetic is offered up to 20,000")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--order", "smallest"), "--order has no effect with --target random; leave it out"),
        (("--target", "threshold", "--seed", "1"), "--seed has no effect where nothing is random"),
        (("--target", "t.txt", "--rate", "0.1"), "--rate has no effect with --target t.txt"),
        (("--target", "t.txt", "--order", "largest"), "--order has no effect with --target t.txt"),
        (("--cache", "there"), "--cache has no effect unless texts are encoded"),
        (("--labels", "half.txt", "--ridge", "2"), "--ridge has no effect without --copies"),
    ],
)
def test_options_without_effect(
    holdfast: Invoke, features: Path, arguments: tuple[str, ...], said: str
) -> None:
    Path("t.txt").write_text("0\n" * PAIRS)
    Path("half.txt").write_text("0.5\n" * PAIRS)
    _refused(holdfast("poison", features, *arguments), said)


def test_a_seed_draws_parts_whatever_the_target(holdfast: Invoke, features: Path) -> None:
    done = holdfast("poison", features, "--target", "threshold", "--sizes", "30", "--seed", "1")
    assert done.code == 0, done.output


@pytest.mark.parametrize(
    ("column", "option"),
    [("label", "--labels"), ("Tie", "--labels"), ("winner", "--labels"), ("weight", "--weights")],
)
def test_columns_that_speak_of_labels_are_not_passed_over(
    holdfast: Invoke, column: str, option: str
) -> None:
    row = f'{{"chosen": "a b", "rejected": "b", "{column}": 0}}\n'
    Path("data.jsonl").write_text(row * 3)
    arguments = ("poison", "data.jsonl", "--features", "ngrams", "--dimensions", "1")
    _refused(holdfast(*arguments), f"has '{column}', which is not read from there; write one")
    Path("numbers.txt").write_text("1\n" * 3)
    done = holdfast(*arguments, option, "numbers.txt")
    assert done.code == 0, done.output
    assert done.says(f"note: not read: {column}")


def test_labels_beside_features_of_texts_are_refused(holdfast: Invoke, texts: Path) -> None:
    np.savez("own.npz", features=FEATURES[:3], labels=np.zeros(PAIRS))
    _refused(holdfast("poison", texts, "--features", "own.npz"), "holds labels or weights")
