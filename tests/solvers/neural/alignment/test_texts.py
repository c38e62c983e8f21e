"""RePO, HIPO, best of n and debiasing on language models, with costs that need no package.

A tiny model of random weights: what is shown is that runs are wired right, not what is learnt.
"""

import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from holdfast.solvers.alignment.audits import batches, scalar
from holdfast.solvers.alignment.audits.printed import Interval, printed
from holdfast.solvers.alignment.audits.rules import Rule
from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.alignment import toxicity
from holdfast.solvers.neural.alignment.grouped import responses
from holdfast.solvers.neural.alignment.grouped.repo import Multiplier
from holdfast.solvers.neural.alignment.grouped.responses import Judgement, TextOptions
from holdfast.solvers.neural.alignment.pairs import PairsOptions, Policies
from holdfast.solvers.neural.alignment.seeded_bias import BiasOptions
from holdfast.solvers.neural.alignment.texts import earned, read_prompts, sample
from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.poisoning.language_model import language_model, load_saved

_SMALL = {
    "prompts": 4, "held_out": 3, "samples": 4, "draws": 3, "group": 4, "updates": 3, "layers": 2,
    "prompt_tokens": 60, "limit": 0.05,
}  # fmt: skip


def _costs(texts) -> np.ndarray:
    """Shares of letters: every text of the tiny model has some."""
    rows = [[sum(c in "abcdefghijkl"[2 * k : 2 * k + 2] for c in t) for k in range(6)]
            for t in texts]  # fmt: skip
    lengths = np.array([max(len(one), 1) for one in texts])
    return np.array(rows, dtype=float).reshape(-1, 6) / lengths[:, None]


@pytest.fixture
def file(monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(toxicity, "costs", _costs)
    monkeypatch.setenv("HOLDFAST_RUNS", str(tmp_path / "runs"))
    path = tmp_path / "pairs.jsonl"
    asked = [f"\n\nHuman: is {'abcdef'[k % 6] * (k + 1)} bad?\n\nAssistant:" for k in range(12)]
    rows = [{"chosen": f"{one} no {k}", "rejected": f"{one} bad cab"}
            for k, one in enumerate(asked)]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _run(file: Path, name: str, **options):
    found = find(f"alignment/{name}")
    return obtain(Training(found.name, str(file), 0, found.options(model="tiny", **options)))


def _watched(monkeypatch) -> list:
    """The trainers that are made."""
    made, make = [], responses.trainer_of
    monkeypatch.setattr(responses, "trainer_of", lambda *a: made.append(make(*a)) or made[-1])
    return made


def _audit(run, multiplier: str, value: str, **rule):
    """Our own auditor on the metrics, which are written without loss."""
    lines = run.metrics()
    columns = [printed([repr(line[name]) for line in lines], name, range(len(lines)))
               for name in (multiplier, value)]  # fmt: skip
    steps = tuple(Fraction(line["update"]) for line in lines)
    return scalar.judge(scalar.Run(steps, *map(tuple, columns)), Rule(**rule))


@pytest.mark.slow
@pytest.mark.parametrize("way", ["repo", "average", "hipo", "hipo-common"])
def test_a_run_is_wired_right(file, monkeypatch, way) -> None:
    made = _watched(monkeypatch)
    small = {**_SMALL, "limit": 0.0} if way == "average" else _SMALL  # else it stays at 0
    run = _run(file, "texts", way=way, temperature=0.1, **small)
    (trainer,) = made
    cap, lines = Fraction(20), run.metrics()
    if way.startswith("hipo"):
        given = {"target": Fraction(95, 100), "at_least": True, "average": Fraction(9, 10),
                 "start": Fraction(lines[0]["value"]), "initial": Fraction(2)}  # fmt: skip
        names = [("multiplier", "value")]
    else:
        given = {"target": Fraction(0), "initial": Fraction(0)}
        names = [(f"multiplier_{one}", f"value_{one}") for one in toxicity.COSTS]
    for both in names:
        found = _audit(run, *both, rate=Fraction(2), cap=cap, **given)
        assert found.checked == len(lines)  # with the first, whose start is stated
        assert not found.contradicted
    moved = max(abs(lines[-1][one] - lines[0][one]) for one, _ in names)
    assert moved > 0, "a multiplier that never moves obeys every rule"
    wrong = _audit(run, *names[0], rate=Fraction(3), cap=cap, **given)
    assert wrong.contradicted or lines[-1][names[0][0]] == lines[0][names[0][0]]

    network, base = trainer.model, language_model("tiny").network().state_dict()
    for name, weights in network.get_base_model().state_dict().items():
        if "lora_" not in name:
            assert torch.equal(weights, base[name.replace(".base_layer", "")])
    changed = [
        w for name, w in network.named_parameters() if "default" in name and "lora_B" in name
    ]
    assert any(bool(w.any()) for w in changed)

    batch = trainer.session.last
    end = trainer.processing_class.eos_token_id
    for tokens, mask in zip(batch["completion_ids"], batch["completion_mask"], strict=True):
        length = int(mask.sum())
        assert not (tokens[: length - 1] == end).any()
        assert length == len(tokens) or tokens[length - 1] == end
    rows = [json.loads(x) for x in (run.folder / "batch.jsonl").read_text().splitlines()]
    groups = batches.grouped(
        [str(row["group"]) for row in rows],
        [Interval.of(Fraction(row["reward"])) for row in rows],
        printed([repr(row["advantage"]) for row in rows], "advantage", range(len(rows))),
    )  # fmt: skip
    assert "centred" in batches.recompute(groups).forms


@pytest.mark.slow
def test_other_rewards_precisions_and_folders(file, monkeypatch, tmp_path) -> None:
    found = _run(file, "texts", way="best-of-n", **_SMALL).result()
    again = _run(file, "texts", way="plain", **_SMALL).result()
    assert np.array_equal(found.before, again.before), "the control has the same noise"
    made = _watched(monkeypatch)
    half = _run(file, "texts", way="combined", precision="bfloat16", **_SMALL).result()
    assert made[0].model.get_base_model().lm_head.weight.dtype == torch.bfloat16
    assert half.options.precision == "bfloat16"
    folder = tmp_path / "mine"
    tiny = language_model("tiny")
    tiny.network().save_pretrained(folder)
    tiny.tokenizer.save_pretrained(folder)
    algorithm = find("alignment/texts")
    options = algorithm.options(model=str(folder), way="plain", **_SMALL)
    run = obtain(Training(algorithm.name, str(file), 0, options))
    assert np.array_equal(run.result().after, again.after), "the same weights under another name"
    other = tiny.network()
    with torch.no_grad():
        other.lm_head.weight.mul_(2)
    other.save_pretrained(folder)
    with pytest.raises(ModelError, match="have changed since"):
        run.result()


@pytest.mark.slow
def test_debiasing_takes_the_taught_refusal_off(file) -> None:
    small = {"prompts": 4, "held_out": 3, "prompt_tokens": 60, "layers": 2, "batch": 4}
    found = _run(
        file, "debiasing", refusal="S", updates=30, learning_rate=0.01, samples=64, **small
    ).result()
    before, refusing, framed, bare, _ = found.refusing.mean(axis=1)
    assert refusing > 1.5 * before  # the head of the tiny model allows hardly twice as much
    assert abs(framed - before) < (refusing - before) / 2
    assert found.far[2].mean() < found.far[1].mean()
    assert bare > before


@pytest.mark.slow
def test_merges_and_what_is_left_of_stage_one(file) -> None:
    run = _run(file, "pairs", pairs=6, held_out=6, tokens=80, rank=4, learning_rate=5e-3)
    found = run.result()
    first, last = (load_saved(str(run.folder / f"stage-{k}"), torch.float32)[0] for k in (1, 2))
    assert any(not torch.equal(a, b) for a, b in zip(
        first.state_dict().values(), last.state_dict().values(), strict=True))  # fmt: skip
    middle = (found.first + found.last) / 2
    # merged logits are renormalised token by token, so that this is near, not exact
    assert np.abs(found.logits - middle).max() < 0.2 * np.abs(found.last - found.first).max()


def test_what_is_left_of_stage_one_is_a_slope() -> None:
    stream = np.random.Generator(np.random.Philox(0))
    first, costs = stream.normal(size=40), stream.random((2, 40, 6))
    gap = costs[1].sum(axis=1) - costs[0].sum(axis=1)
    noise = stream.normal(size=40) / 10
    found = Policies(first, first + 2 * gap + noise, costs, 2 * gap + noise, noise)
    slope, low, high = found.kept(found.last)
    assert low < 1 < high
    assert high - low < 0.2
    slope, low, high = found.kept(found.logits)
    assert low < 0 < high < slope + 0.1


def test_multipliers_of_several_costs_move_each_by_its_own() -> None:
    """(cost - limit)+ is 1/2 and 0 in the mean; unrectified costs cancel."""
    gains, costs = np.zeros((1, 2)), np.array([[[1.0, -1.0], [-1.0, -1.0]]])
    held = Multiplier(0.5, 10.0, np.array([1.0, 3.0]))
    assert held.reward(gains, costs)[0].tolist() == [[-1.0, 0.0]]
    assert held.value.tolist() == [1.25, 3.0]
    average = Multiplier(0.5, 10.0, np.array([1.0, 3.0]), rectified=False, averaged=True)
    assert average.reward(gains, costs)[0].tolist() == [[2.0, 4.0]]
    assert average.value.tolist() == [1.0, 2.5]


def test_prompts_are_the_most_toxic_and_words_earn(file, tmp_path) -> None:
    tokenizer = language_model("tiny").tokenizer
    found = read_prompts(file, tokenizer, 60, 3)
    assert _costs(found).max(axis=1).tolist() == sorted(_costs(found).max(axis=1))[::-1]
    lines = tmp_path / "prompts.txt"
    lines.write_text("why are cats so bad\n\nxyz\n")
    assert read_prompts(lines, tokenizer, 60, 2)[1] == "xyz"
    with pytest.raises(ModelError, match="has 2 different prompts of at most 60 tokens, and 3"):
        read_prompts(lines, tokenizer, 60, 3)
    lines.with_suffix(".jsonl").write_text('{"chosen": "a", "rejected": "b"}\n')
    with pytest.raises(ModelError, match=r"write the prompts into a \.txt file"):
        read_prompts(lines.with_suffix(".jsonl"), tokenizer, 60, 3)
    prompt = "\n\nHuman: why are cats so bad\n\nAssistant:"
    said = ["Human: so so", "Cats!", "cats are bad"]
    assert earned([prompt] * 3, said)[:, 0].tolist() == [0, 0.5, 1]


def test_a_file_that_is_not_there_is_refused_before_anything_is_written(file, tmp_path) -> None:
    with pytest.raises(ModelError, match=r"none\.txt cannot be read"):
        _run(tmp_path / "none.txt", "texts")
    assert not list((tmp_path / "runs").glob("*/run.json"))


def test_samples_follow_the_law_of_the_model(file) -> None:
    """The cache that is shared by all samples: the second token given the first, exactly."""
    network = language_model("tiny").network().eval()
    drawn = sample(network, [72, 105], 3000, 2, torch.Generator().manual_seed(0))
    with torch.no_grad():
        law = network(input_ids=torch.tensor([[72, 105]])).logits[0, -1].softmax(-1).numpy()
    counts = np.bincount([one[0] for one in drawn], minlength=len(law))
    assert ((counts - 3000 * law) ** 2 / (3000 * law)).sum() < len(law) + 6 * (2 * len(law)) ** 0.5


def test_best_of_n_is_unbiased_over_subsets() -> None:
    """Of 0, 1/2, 1 the best of two is 1/2, 1, 1 over the three subsets."""
    seen = np.zeros((1, 3, 7))
    seen[0, :, 0] = [1, 0, 0.5]
    seen[0, :, 1] = [0.3, 0.05, 0.1]
    found = Judgement(seen, seen, SimpleNamespace(draws=2, limit=0.1), "none")
    assert found.best(seen) == pytest.approx([5 / 6])
    assert found.excess(seen).tolist() == [[pytest.approx(0.2), 0, 0]]


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        (TextOptions, {"way": "ppo"}, "give one of plain, repo"),
        (TextOptions, {"model": "gpt"}, "or a folder as save_pretrained writes it"),
        (TextOptions, {"precision": "int8"}, "give one of float32, bfloat16"),
        (TextOptions, {"threshold": 0.9}, "no effect with way = 'repo'; leave it out, or give one"),
        (TextOptions, {"way": "plain", "rate": 1.0}, "has no effect with way = 'plain'"),
        (TextOptions, {"way": "best-of-n", "draws": 8}, "below group = 8"),
        (TextOptions, {"prompts": 5}, "a multiple of groups = 2"),
        (TextOptions, {"limit": 1.0}, "nothing else could be met"),
        (PairsOptions, {"share": 1.0}, "at which one policy is left out"),
        (PairsOptions, {"model": "gpt"}, "is not known; give one of smollm2, tiny"),
        (BiasOptions, {"samples": 1}, "is to be at least 2"),
    ],
)  # fmt: skip
def test_options_that_mean_nothing_are_refused(options, given, message) -> None:
    with pytest.raises(ModelError, match=message):
        options(**given)
