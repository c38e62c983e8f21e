"""Tokens of pairs, and what a model says of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.poisoning.token_pairs import examine, token_pairs, untrained
from holdfast.solvers.poisoning.data.pairs import read_pairs


def test_the_prompt_is_all_that_both_texts_begin_with(pairs, tiny) -> None:
    read = tiny.tokenizer.decode
    assert read(list(pairs[0].prompt)) == "Q: tea?\nA: "
    assert read(list(pairs[0].chosen)) == "No tea.<|im_end|>"
    assert read(list(pairs[0].rejected)) == "I like tea a lot, yes.<|im_end|>"
    assert pairs[0].gap == len("I like tea a lot, yes.") - len("No tea.")
    assert pairs[0].length == len("Q: tea?\nA: I like tea a lot, yes.") + 1


def _alone(network, prompt, answer) -> tuple[float, np.ndarray]:
    """Log-probability and last state of one text, from the logits, without padding."""
    tokens = torch.tensor([[*prompt, *answer]])
    with torch.no_grad():
        out = network(input_ids=tokens, output_hidden_states=True)
    scores = out.logits[0, :-1].log_softmax(-1).gather(1, tokens[0, 1:, None])[:, 0]
    return float(scores[len(prompt) - 1 :].sum()), out.hidden_states[-1][0, -1].numpy()


def test_examined_pairs_are_what_each_text_gives_alone(pairs, tiny) -> None:
    network = tiny.network()
    found = examine(network, pairs, tiny.tokenizer.pad_token_id)
    for at, pair in enumerate(pairs):
        for which, answer in enumerate((pair.chosen, pair.rejected)):
            score, state = _alone(network, pair.prompt, answer)
            assert found.log_probabilities[which, at] == pytest.approx(score, abs=1e-4)
            np.testing.assert_allclose(found.states[which, at], state, atol=1e-5)
    np.testing.assert_allclose(
        found.differences[:, 3], found.states[0, 3] - found.states[1, 3], atol=1e-12
    )


def test_margins_are_those_of_the_implicit_reward(pairs, tiny) -> None:
    start = examine(tiny.network(), pairs, 0)
    assert not start.margins(start, 0.1).any()
    network = tiny.network()
    with torch.no_grad():
        network.model.norm.weight.mul_(2)
    moved = examine(network, pairs, 0)
    ratios = moved.log_probabilities - start.log_probabilities
    assert np.abs(ratios).max() > 0.1
    np.testing.assert_allclose(moved.margins(start, 0.5), 0.5 * ratios[0] - 0.5 * ratios[1])


def test_what_the_untrained_model_says_is_kept(pairs, tiny, monkeypatch) -> None:
    first = untrained(tiny, pairs)
    monkeypatch.setattr(type(tiny), "network", None)  # no second look
    second = untrained(tiny, pairs)
    assert (first.states == second.states).all()
    assert (first.log_probabilities == second.log_probabilities).all()
    with pytest.raises(TypeError):  # other pairs are asked about anew
        untrained(tiny, pairs[1:])


def test_pairs_that_are_long_or_equal_are_left_out(tiny, tmp_path: Path) -> None:
    rows = [("a b", "a c"), ("a b", "a b"), ("a " * 40, "a c"), ("a d", "a")]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps({"chosen": c, "rejected": r}) + "\n" for c, r in rows))
    data = read_pairs(path)
    assert [pair.number for pair in token_pairs(data, tiny.tokenizer, 10, 2)] == [0, 3]
    last = token_pairs(data, tiny.tokenizer, 10, 2)[1]
    assert len(last.rejected) == 1, "of an answer that ends with the prompt the end is left"
    with pytest.raises(ModelError, match="has 2 pairs of at most 10 tokens, and 3 are needed"):
        token_pairs(data, tiny.tokenizer, 10, 3)


def test_features_without_texts_are_refused(tiny, tmp_path: Path) -> None:
    np.savez(tmp_path / "pairs.npz", features=np.eye(2))
    with pytest.raises(ModelError, match="holds features and no texts"):
        token_pairs(read_pairs(tmp_path / "pairs.npz"), tiny.tokenizer, 10, 1)
