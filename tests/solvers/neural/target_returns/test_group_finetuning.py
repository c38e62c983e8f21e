"""Fine-tuning on lotteries: exact returns and gradients of a transformer, by second methods."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.runs import Run, obtain
from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.target_returns.discrete import ReturnTransformer, seeded_network
from holdfast.solvers.neural.target_returns.group_finetuning import (
    ALGORITHM,
    TASK,
    GroupOptions,
    _resets,
    roll,
    sizes,
)
from holdfast.solvers.neural.target_returns.lotteries import (
    LOTTERIES,
    Tabled,
    beside,
    expected_estimate,
    expected_return,
    log_chances,
)
from holdfast.solvers.target_returns.groups.process import Policy
from holdfast.verify.target_returns.oracles.derivatives import gradient, value

OPTIONS = GroupOptions(episodes=100, pretraining=30, steps=2, width=16)
EVEN = Policy(((1, 1),) * 6, ((1, 1),))


@pytest.fixture(scope="module")
def network() -> ReturnTransformer:
    """With random parameters it listens to what it is told already."""
    found = seeded_network(3, **sizes(OPTIONS))
    with torch.no_grad():
        for one in found.parameters():
            one.mul_(2)
    return found.eval()


def returned(choices: list[tuple[int, int]]) -> Fraction:
    return Fraction(value(LOTTERIES, Policy(tuple(choices), ((1, 1),)), 0, (0,)))


def test_the_lotteries_by_hand() -> None:
    """Sure 3; all lotteries 3/2 + 2 (3/2 + 3/10)/2 = 33/10; good ones 3/2 + 2 (3/2 + 1)/2 = 4."""
    sure, lottery = (1, 0), (0, 1)
    assert returned([sure] * 6) == 3
    assert returned([lottery] * 6) == Fraction(33, 10)
    assert returned([lottery, sure] * 3) == 4


def test_the_expected_return_is_that_of_the_tables(network: ReturnTransformer) -> None:
    tables = Tabled.of(network, 5)
    exact = value(LOTTERIES, tables, 0, (5,))
    assert expected_return(network, 5).item() == pytest.approx(float(exact), abs=1e-9)


def test_the_intended_estimate_is_the_gradient_and_the_relabelled_one_is_not(
    network: ReturnTransformer,
) -> None:
    """By autograd through the sum over all episodes, which knows of no score."""
    direct = torch.autograd.grad(
        expected_return(network, 5), [*network.parameters()], allow_unused=True
    )
    flat = torch.cat([one.double().ravel() for one in direct if one is not None])
    estimate = expected_estimate(network, 5, relabel=False)
    assert torch.allclose(flat, estimate, atol=1e-5 * float(flat.norm()))
    wrong = expected_estimate(network, 5, relabel=True)
    assert float((wrong - flat).norm()) > 0.1 * float(flat.norm())


def test_the_exact_gradient_along_a_direction_is_a_difference_quotient(
    network: ReturnTransformer,
) -> None:
    """In log-odds moved by t along the direction from one network to another."""
    one, other = Tabled.of(network, 5), Tabled.of(seeded_network(4, **sizes(OPTIONS)).eval(), 5)
    along, t = other.since(one), Fraction(1, 10**4)

    def moved(step: Fraction) -> float:
        there = {
            key: tuple(v + step * w for v, w in zip(odds, along.log_odds[key], strict=True))
            for key, odds in one.log_odds.items()
        }
        return float(value(LOTTERIES, Tabled(there), 0, (5,)))

    expected = (moved(t) - moved(-t)) / (2 * float(t))
    assert float(gradient(LOTTERIES, one, along, 0, 5)) == pytest.approx(expected, rel=1e-5)


def test_episodes_have_the_law_of_the_process() -> None:
    """Even actions earn 1/2 (1 + 3/2) + 2 (1/2)(1 + 9/10) = 63/20, with a deviation below 3."""
    stream = np.random.default_rng(0)
    paths = roll(None, [((), 0)] * 4000, 0, 3, stream)
    mean = np.mean([sum(r for _, _, r in path) for path in paths])
    assert value(LOTTERIES, EVEN, 0, (0,)) == Fraction(63, 20)
    assert abs(mean - 3.15) < 5 * 3 / 4000**0.5


def test_the_tail_takes_the_likeliest_actions(network: ReturnTransformer) -> None:
    stream = np.random.default_rng(0)
    paths = roll(network, [((), 0)] * 50, 5, 1, stream)
    chances = log_chances(network, paths, beside(paths, 5)).exp()
    assert (chances[:, 1:] >= 0.5).all()
    assert (chances[:, 0] < 0.5).any()


def test_sub_trajectories_go_on_from_their_reset_state(network: ReturnTransformer) -> None:
    begun = ((0, 1, 3),)
    paths = roll(network, [(begun, 3)] * 8, 5, 3, np.random.default_rng(0))
    assert all(path[0] == begun[0] and path[1][0] == 3 for path in paths)


def test_reset_states_are_taken_where_actions_vary(network: ReturnTransformer) -> None:
    """A network that is certain at once but not later is reset later."""

    class Certain(torch.nn.Module):
        def forward(self, seen):
            logits = torch.zeros(*seen.times.shape, 2)
            logits[:, 0, 1] = 50.0
            return None, logits

    found = _resets(Certain(), replace(OPTIONS, resets=50), np.random.default_rng(0))  # type: ignore[arg-type]
    assert {len(past) for past, _ in found} == {1, 2}
    everywhere = replace(OPTIONS, resets=50, active=False)
    found = _resets(Certain(), everywhere, np.random.default_rng(0))  # type: ignore[arg-type]
    assert {len(past) for past, _ in found} == {0, 1, 2}


def trained(folder: Path, seed: int = 0, **changes: object) -> Run:
    options = replace(OPTIONS, **changes)  # type: ignore[arg-type]
    return obtain(Training(ALGORITHM.name, TASK, seed, options), folder=folder)


def test_a_run_ends_with_the_same_numbers_and_knows_its_networks(tmp_path: Path) -> None:
    run, again = (trained(tmp_path / name) for name in "ab")
    assert run.metrics() == again.metrics()
    found = run.result()
    last = run.metrics()[-1]["return"]
    assert expected_return(found.after, 5).item() == pytest.approx(last, abs=1e-6)
    first = expected_return(found.before, 5).item()
    assert first == pytest.approx(found.first["return"], abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_intended_labels_ascend_while_relabelled_estimates_point_elsewhere(
    seed: int, tmp_path: Path
) -> None:
    """The gain of the intended variant is far above what one update moves; the bias of the other
    one is larger than the gradient itself, before the first update."""
    options = {"episodes": 300, "pretraining": 300, "steps": 25, "width": 32}
    run = trained(tmp_path, seed, **options)
    first = run.result().first
    assert run.metrics()[-1]["return"] > first["return"] + 0.15
    assert first["bias"] > 0.5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": "actual"}, "labels = 'actual'"),
        ({"group": 1}, "group = 1"),
        ({"clip": 1.0}, "clip = 1.0"),
        ({"target": 12}, "target = 12"),
        ({"heads": 3}, "heads = 3"),
        ({"resets": 0}, "resets"),
        ({"epochs": 1, "clip": 0.1}, "clip = 0.1 has no effect with epochs = 1"),
        ({"sampled": 99}, "sampled = 99, but an episode has 3 actions"),
    ],
)
def test_wrong_options_are_named(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        replace(OPTIONS, **changes)  # type: ignore[arg-type]


def test_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Lotteries"):
        obtain(Training(ALGORITHM.name, "CartPole-v1", 0, OPTIONS), folder=tmp_path)
