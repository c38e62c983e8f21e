"""Debiasing and merging on models whose laws can be enumerated."""

import copy
from itertools import product

import numpy as np
import pytest
import torch

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.alignment.bandits import fresh_bandit
from holdfast.solvers.neural.alignment.debiasing import (
    Bias,
    Debiaser,
    estimate_bias,
    load_bias,
)
from holdfast.solvers.neural.alignment.merging import (
    MergedLogits,
    average_weights,
    merged,
    next_laws,
)

WORDS = 4


def _pair():
    """A model and one made from it; every prompt is one word, every response two."""
    first = fresh_bandit(2, WORDS, seed=0)
    second = copy.deepcopy(first.network)
    with torch.no_grad():
        noise = torch.Generator().manual_seed(1)
        weights = second.lm_head.weight
        weights += torch.randn(weights.shape, generator=noise, dtype=weights.dtype) * 0.3
    return first, second


def _laws(network, rows: list[tuple[int, ...]]) -> np.ndarray:
    return next_laws(network, [list(one) for one in rows]).numpy()


def _exact_bias(first, second) -> np.ndarray:
    """Means over all prompts and prefixes, each equally likely."""
    contexts = [list(product(range(WORDS), repeat=length)) for length in (1, 2)]
    shifts = [_laws(second, rows) - _laws(first.network, rows) for rows in contexts]
    found = np.array([one.mean(axis=0) for one in shifts])
    return found - found.mean(axis=1, keepdims=True)


def test_the_estimate_is_within_its_errors_of_the_mean_over_all_contexts() -> None:
    first, second = _pair()
    found = estimate_bias(
        second, first.network, range(WORDS), positions=2, samples=2000, prompt_length=1
    )
    off = np.abs(found.values - _exact_bias(first, second))
    assert (off <= 6 * found.errors + 1e-9).all()
    assert np.abs(found.values).max() > 20 * found.errors.max()  # there is something to find


def test_generated_pairs_follow_the_debiased_law(tmp_path) -> None:
    """The exact law of two tokens against samples; the law that is not debiased is the control."""
    first, second = _pair()
    exact = Bias(_exact_bias(first, second), np.zeros((2, WORDS)), 1)
    exact.save(tmp_path)
    bias = load_bias(tmp_path)
    assert np.array_equal(bias.values, exact.values)

    def law(values: np.ndarray) -> np.ndarray:
        one = _laws(second, [(1,)])[0] - values[0]
        two = _laws(second, [(1, v) for v in range(WORDS)]) - values[1]
        one, two = (x - np.log(np.exp(x).sum(axis=-1, keepdims=True)) for x in (one, two))
        both = np.exp(one[:, None] + two)
        both[0] = [both[0].sum(), 0, 0, 0]  # the end token ends a response
        return both

    torch.manual_seed(0)
    number = 20_000
    tokens = second.generate(
        input_ids=torch.ones((number, 1), dtype=torch.long), do_sample=True, max_new_tokens=2,
        attention_mask=torch.ones((number, 1), dtype=torch.long), top_k=0,
        logits_processor=[Debiaser(bias, 1)],
    )[:, 1:].numpy()  # fmt: skip
    seen = np.zeros((WORDS, WORDS))
    np.add.at(seen, (tokens[:, 0], tokens[:, 1]), 1 / number)
    wanted, control = law(bias.values), law(bias.values * 0)
    assert np.abs(seen - wanted).sum() / 2 < 0.02
    assert np.abs(seen - control).sum() / 2 > 0.1


def test_a_bias_without_context_is_all_that_goes() -> None:
    """Two-way decomposition: what is left is the reference times what depends on the context."""
    first, second = _pair()
    contexts = list(product(range(WORDS), repeat=1))
    bias = _exact_bias(first, second)[0]
    left = _laws(second, contexts) - bias - _laws(first.network, contexts)
    left -= left.mean(axis=1, keepdims=True)
    assert np.allclose(left.mean(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pool": []}, "the pool has 0 tokens"),
        ({"pool": [WORDS]}, "give tokens from 0 to 3"),
        ({"positions": 0}, "positions = 0 is too small"),
        ({"samples": 0}, "samples = 0 is too small"),
    ],
)
def test_estimates_of_nothing_are_refused(changes, message) -> None:
    first, second = _pair()
    given = {"pool": range(WORDS), "positions": 1, "samples": 4, "prompt_length": 1, **changes}
    with pytest.raises(ModelError, match=message):
        estimate_bias(second, first.network, **given)


def test_models_of_other_vocabularies_and_longer_prompts_are_refused(tmp_path) -> None:
    first, _ = _pair()
    other = fresh_bandit(2, WORDS + 1, seed=0).network
    with pytest.raises(ModelError, match="vocabularies of 5 and 4"):
        estimate_bias(other, first.network, [1], positions=1, samples=1, prompt_length=1)
    debiaser = Debiaser(Bias(np.zeros((1, WORDS)), np.zeros((1, WORDS)), 1), 3)
    with pytest.raises(ModelError, match="are to have 3 tokens"):
        debiaser(torch.ones((1, 2), dtype=torch.long), torch.zeros((1, WORDS)))
    with pytest.raises(ModelError, match="cannot be read"):
        load_bias(tmp_path)


def test_the_merge_of_logits_and_the_average_of_weights() -> None:
    first, second = _pair()
    prompts = [[1], [2]]
    laws = [next_laws(one, prompts) for one in (first.network, second)]
    half = merged(*laws, 0.5)
    wanted = (laws[0] + laws[1]) / 2
    assert torch.allclose(half, wanted.log_softmax(dim=-1))
    scores = torch.log_softmax(first.network(torch.tensor(prompts)).logits[:, -1], dim=-1)
    processed = MergedLogits(second, 0.5)(torch.tensor(prompts), scores)
    assert torch.allclose(processed, half)
    # only the last layer differs, so that logits are linear between these models
    average = average_weights(copy.deepcopy(first.network), second, 0.5)
    assert torch.allclose(next_laws(average, prompts), half, atol=1e-12)


def test_shares_and_shapes_that_cannot_be_merged_are_refused() -> None:
    first, second = _pair()
    with pytest.raises(ModelError, match="not between 0"):
        average_weights(first.network, second, 1.5)
    with pytest.raises(ModelError, match="merge their logits"):
        average_weights(first.network, fresh_bandit(2, WORDS + 1, seed=0).network, 0.5)
