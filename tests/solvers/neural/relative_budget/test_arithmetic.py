"""Questions with a verifiable answer: prompts, chances, runs, and checkpoints saved by others."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.relative_budget.arithmetic import ArithmeticOptions, Exam
from holdfast.solvers.neural.relative_budget.efficiency import binned
from holdfast.solvers.neural.relative_budget.sums import (
    Asked,
    Question,
    is_right,
    load_asked,
    questions,
)

OPTIONS = ArithmeticOptions(
    model="tiny", questions=2, shots=2, tokens=3, updates=3, group=4, rank=2, checkpoint_every=1
)


@pytest.fixture(scope="module", autouse=True)
def _runs(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLDFAST_RUNS", str(tmp_path_factory.mktemp("runs")))
        yield


@pytest.fixture(scope="module")
def asked() -> Asked:
    return load_asked("tiny", False)


def test_the_verifier_wants_the_answer_and_an_end() -> None:
    assert is_right(" 12\n", "12") and is_right("12 \n7", "12")
    assert not is_right(" 12", "12") and not is_right(" 123\n", "12")
    assert not is_right("\n12\n", "12")


def test_generated_questions_are_sums_after_examples() -> None:
    found = questions("reasoning-gym", 5, shots=2, digits=1, seed=0)
    assert len({one.text for one in found}) == 5
    for one in found:
        assert one.prompt.count("\n") == 2 and one.prompt.endswith(one.text)
        for line in [*one.prompt.splitlines()[:2], f"{one.text} {one.answer}"]:
            left, right = line.split("=")
            assert sum(map(int, left.split("+"))) == int(right)


def test_the_chance_is_the_product_over_tokens_and_breaks(asked: Asked) -> None:
    """Second method: one token after the other; the tiny model reads bytes, so one break."""
    question = Question("2 + 3 =", "5", "1 + 1 = 2\n2 + 3 =")
    assert asked.tokenizer.batch_decode([[k] for k in asked.breaks]) == ["\n"]
    ids, chance = asked.tokenizer(question.prompt)["input_ids"], 1.0
    for token in asked.tokenizer(" 5\n")["input_ids"]:
        with torch.no_grad():
            law = asked.network(input_ids=torch.tensor([ids])).logits[0, -1].double().softmax(-1)
        chance *= float(law[token])
        ids = [*ids, token]
    assert asked.chance(question) == pytest.approx(chance, rel=1e-4)
    assert asked.solved_after(question) == 3


def test_rewards_are_what_is_left_of_the_horizon(asked: Asked) -> None:
    exam = Exam(asked, [Question("", "5", ""), Question("", "6", "")], 6, which=1)
    texts = [" 6\n", " 6", "6\n", " 5\n"]
    ids = asked.tokenizer(texts)["input_ids"]
    assert exam.reward(ids, [1] * 4) == [4.0, 0.0, 5.0, 0.0]
    line = exam.line(0.25, 0.5)
    assert line["gain"] == 4 * 0.25 and line["right"] == 2
    assert line["xi"] == pytest.approx(6 * 0.25 / (10 / 4))
    with pytest.raises(AssertionError, match="another question than is measured"):
        exam.reward(ids, [0] * 4)


def _training(**changes) -> Training:
    return Training("relative_budget/arithmetic", "sums", 0, replace(OPTIONS, **changes))


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_bit_by_bit(tmp_path) -> None:
    def progress(done: int, updates: int, line) -> None:
        if done == 3:
            raise KeyboardInterrupt

    whole = obtain(_training(), folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        obtain(_training(), folder=tmp_path / "killed", progress=progress)
    resumed = obtain(_training(), folder=tmp_path / "killed")
    files = [run.folder / "metrics.jsonl" for run in (whole, resumed)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert np.array_equal(whole.result().final, resumed.result().final)


def _easy(asked: Asked, folder, data) -> None:
    """A saved model that has learnt by heart to answer 7, half of the time, and its data."""
    data.write_text("".join(json.dumps({"question": f"{k} + {7 - k} =", "answer": "7"}) + "\n"
                            for k in range(4)))  # fmt: skip
    network, tokenizer = asked.network, asked.tokenizer
    prompts = [one.prompt for one in questions(str(data), 2, shots=2, digits=1, seed=0)]
    texts = [f"{prompt} {answer}\n" for prompt in prompts for answer in (7, 8)]
    ids = torch.tensor([tokenizer(text)["input_ids"] for text in texts])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    with torch.random.fork_rng(devices=[]):
        for _ in range(120):
            loss = network(input_ids=ids, labels=ids).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.mark.slow
def test_a_saved_checkpoint_learns_from_a_file_of_questions(tmp_path) -> None:
    data, model = tmp_path / "sums.jsonl", tmp_path / "model"
    _easy(load_asked("tiny", False), model, data)
    training = _training(
        model=str(model), dataset=str(data), updates=30, group=8, learning_rate=0.3,
        keep_weights=True, checkpoint_every=0,
    )  # fmt: skip
    run = obtain(training, folder=tmp_path / "runs")
    found = run.result()
    assert (found.first > 1e-3).all(), "it has nothing to learn from"
    assert found.final.mean() > found.first.mean() + 0.1
    assert found.questions == [["2 + 5 =", "7"], ["3 + 4 =", "7"]]
    drawn = sum(line["chance"] * 8 for line in found.lines)
    spread = sum(line["chance"] * (1 - line["chance"]) * 8 for line in found.lines) ** 0.5
    right = found.column("right").sum()
    assert abs(right - drawn) < 4 * spread, "attempts are not as likely as is computed"
    assert sum(one.updates for one in binned([found])) <= 30
    from peft import PeftModel

    start = load_asked(str(model), False)
    again = Asked(PeftModel.from_pretrained(start.network, run.folder / "model"), start.tokenizer)
    asked = questions(str(data), 2, shots=2, digits=1, seed=0)
    assert again.chance(asked[0]) == pytest.approx(float(found.final[0]), rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "nowhere/at-all"}, "model = 'nowhere/at-all' cannot be loaded"),
        ({"dataset": "missing.jsonl"}, "dataset = 'missing.jsonl' cannot be read"),
        ({"questions": 400}, "different questions; 2 examples and 400 questions are wanted"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path, changes, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        obtain(_training(**changes), folder=tmp_path)


def test_data_and_options_that_mean_nothing_are_refused(tmp_path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"question": "2 + 3 ="}\n')
    with pytest.raises(ModelError, match="is not a file of JSON lines with question and answer"):
        questions(str(path), 1, shots=0, digits=1, seed=0)
    with pytest.raises(ModelError, match="group = 1 must be at least 2"):
        replace(OPTIONS, group=1)
    with pytest.raises(ModelError, match="the task is 'lock'; it is 'sums'"):
        obtain(Training("relative_budget/arithmetic", "lock", 0, OPTIONS), folder=tmp_path)
