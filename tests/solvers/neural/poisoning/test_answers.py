"""Features of both answers from each kind of data, and data that cannot have the features asked."""

import json
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.poisoning.answers import PLACES, read_answers, synthetic_answers
from holdfast.solvers.poisoning.data.pairs import read_pairs
from holdfast.solvers.poisoning.data.texts import HASHED, hashed_answers, hashed_differences

ROWS = [
    {"chosen": "I cannot help with that, sorry.", "rejected": "Sure."},
    {"chosen": "Water boils at a hundred degrees.", "rejected": "Water boils when it is cold."},
]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def test_ngrams_are_those_of_each_answer(texts: Path) -> None:
    found = read_answers(str(texts), "ngrams")
    assert found.chosen.shape == found.rejected.shape == (2, PLACES)
    assert np.linalg.norm(found.chosen, axis=1) == pytest.approx(np.ones(2), rel=1e-6)
    assert found.gaps is not None
    assert found.gaps.tolist() == [5 - 31, 28 - 33]
    assert found.benign.tolist() == [1, 1]
    # a row depends on its own text alone: exchanging the answers exchanges the rows
    swapped = [{"chosen": row["rejected"], "rejected": row["chosen"]} for row in ROWS]
    texts.write_text("".join(json.dumps(row) + "\n" for row in swapped), encoding="utf-8")
    other = read_answers(str(texts))
    assert (other.chosen == found.rejected).all()
    assert (other.rejected == found.chosen).all()


def test_differences_are_those_of_the_answers(texts: Path) -> None:
    pairs = read_pairs(texts)
    chosen, rejected = hashed_answers(pairs, HASHED)
    assert (hashed_differences(pairs).toarray() == (chosen - rejected).toarray().T).all()


def test_arrays_bring_labels_and_weights(tmp_path: Path) -> None:
    path = tmp_path / "pairs.npz"
    chosen, rejected = np.random.default_rng(0).standard_normal((2, 5, 3))
    labels, weights = np.array([1, 0, 0.5, 1, 1]), np.arange(1.0, 6.0)
    np.savez(path, chosen=chosen, rejected=rejected, labels=labels, weights=weights)
    found = read_answers(str(path), "array")
    assert (found.chosen == chosen.astype(np.float32)).all()
    assert (found.rejected == rejected.astype(np.float32)).all()
    assert (found.benign == labels).all()
    assert found.weights is not None
    assert (found.weights == weights).all()
    assert found.gaps is None


def test_synthetic_answers_prefer_what_the_hidden_reward_prefers() -> None:
    """By chance a plane through the answers would separate half of the pairs; here it does more."""
    found = synthetic_answers()
    gaps = found.chosen - found.rejected
    plane = np.linalg.lstsq(gaps[:400], np.ones(400), rcond=None)[0]
    assert np.mean(gaps[400:] @ plane > 0) > 0.6
    assert (synthetic_answers().chosen == found.chosen).all()


def test_features_that_the_data_cannot_have_are_refused(tmp_path: Path, texts: Path) -> None:
    differences = tmp_path / "differences.npz"
    np.savez(differences, features=np.eye(3))
    cases = [
        (("synthetic", "ngrams"), "features = 'ngrams' are made of texts"),
        ((str(differences), "sentence"), "features = 'sentence' are made of texts"),
        ((str(differences),), "a trunk needs those of both answers: name them chosen"),
        ((str(texts), "array"), "holds texts and no features"),
        ((str(texts), "embedding"), "features = 'embedding' is not known; give one of auto"),
        ((str(tmp_path / "gone.jsonl"),), "there is no file"),
    ]
    for arguments, said in cases:
        with pytest.raises(ModelError, match=said):
            read_answers(*arguments)


def test_numbers_beyond_single_precision_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.npz"
    np.savez(path, chosen=np.full((2, 2), 1e300), rejected=np.zeros((2, 2)))
    with pytest.raises(ModelError, match=r"beyond single precision; divide the features"):
        read_answers(str(path))


@pytest.mark.parametrize("algorithm", ["reward-model", "dpo"])
@pytest.mark.parametrize("text", ["a b", ""])
def test_answers_that_are_the_same_are_refused_before_anything_is_kept(
    algorithm: str, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "same.jsonl"
    path.write_text((json.dumps({"chosen": text, "rejected": text}) + "\n") * 200)
    found = find(f"poisoning/{algorithm}")
    training = Training(found.name, str(path), 0, found.options())
    said = "0 pairs of two different texts|200 pairs .* are the same"
    with pytest.raises(ModelError, match=said):
        obtain(training, folder=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
