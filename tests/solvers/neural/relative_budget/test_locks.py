"""Locks: the verifier, rollouts as likely as the network says, and the trainer's own reading."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.relative_budget.group_policy import LockTrainer
from holdfast.solvers.neural.relative_budget.laws import chain, expected_group, masses, mean_reward
from holdfast.solvers.neural.relative_budget.locks import (
    Locks,
    first_completion,
    fresh_locks,
    progress,
    rollouts,
    saved_locks,
)
from holdfast.solvers.relative_budget import exact_moments


@pytest.fixture(scope="module")
def locks() -> Locks:
    return fresh_locks([0.2, 0.5], 3, letters=5, width=16, layers=1, seed=0)


def test_the_verifier_tells_when_the_secret_is_said_and_no_sooner() -> None:
    assert first_completion([7, 1, 1, 9, 2, 3, 2], [1, 2, 3]) == 6
    assert first_completion([3, 2, 1, 2], [1, 2, 3]) is None
    assert first_completion([1, 1, 1], [1, 1]) == 2


@pytest.mark.slow
def test_the_base_policy_is_as_asked(locks: Locks) -> None:
    chances = locks.step_chances().detach()
    assert torch.allclose(chances, torch.tensor([[0.2] * 3, [0.5] * 3]).double(), atol=2e-4)


def test_the_network_is_small_and_sees_prompt_and_open_steps(locks: Locks) -> None:
    """Second method: each context on its own, as the words say it."""
    assert sum(p.numel() for p in locks.network.parameters()) < 200_000
    laws = locks.log_laws()
    for x, prompt in enumerate(locks.prompts):
        for j in range(3):
            context = torch.cat([prompt, locks.secret[:j]])[None]
            alone = torch.log_softmax(locks.network(input_ids=context).logits[0, -1], dim=-1)
            torch.testing.assert_close(alone, laws[x, j], atol=1e-12, rtol=0)


def test_rollouts_have_the_law_that_is_computed(locks: Locks) -> None:
    torch.manual_seed(1)
    horizon, number = 8, 4000
    with torch.no_grad():
        found = rollouts(locks.log_laws(), [1] * number, [5, horizon], locks.secret)
    lengths = [first_completion(row, locks.secret.tolist()) for row in found]
    assert all(len(row) == (t or horizon) for row, t in zip(found, lengths, strict=True))
    law = masses(locks.step_chances(), horizon)[1].detach().numpy()[2:]
    seen = [lengths.count(t) for t in range(3, horizon + 1)] + [lengths.count(None)]
    wanted = number * np.append(law, 1 - law.sum())
    assert chisquare(seen, wanted).pvalue > 1e-3
    halved = number * np.append(law / 2, 1 - law.sum() / 2)
    assert chisquare(seen, halved).pvalue < 1e-9, "the test could not fail"


def test_each_lock_has_its_own_horizon(locks: Locks) -> None:
    found = rollouts(locks.log_laws().detach(), [0, 1] * 40, [4, 9], locks.secret)
    assert max(map(len, found[::2])) == 4
    assert 4 < max(map(len, found[1::2])) <= 9


def test_the_trainer_scores_tokens_given_the_steps_that_are_open(locks: Locks) -> None:
    torch.manual_seed(2)
    tokens = torch.randint(0, 6, (4, 7))
    ids = torch.cat([locks.prompts[[0, 1, 1, 0]], tokens], dim=1)
    trainer = LockTrainer.__new__(LockTrainer)
    trainer.locks = locks
    found, entropies, _ = trainer._get_per_token_logps_and_entropies(
        None, ids, torch.ones_like(ids), 7
    )
    laws = locks.log_laws()
    for row, x in enumerate([0, 1, 1, 0]):
        opened = 0
        for t, token in enumerate(tokens[row].tolist()):
            assert found[row, t] == laws[x, min(opened, 2), token]
            assert progress(tokens, locks.secret)[row, t] == min(opened, 2)
            opened += opened < 3 and token == locks.secret[opened]
    assert (entropies > 0).all()


def test_a_folder_that_holds_no_model_is_refused(tmp_path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        saved_locks(str(tmp_path), 1, 3)


def test_a_saved_network_says_what_it_was_taught(locks: Locks, tmp_path) -> None:
    locks.network.save_pretrained(tmp_path)
    locks.tokenizer.save_pretrained(tmp_path)
    again = saved_locks(str(tmp_path), 2, 3)
    assert torch.equal(again.step_chances(), locks.step_chances())
    with pytest.raises(ModelError, match="has no secret of 2 single tokens"):
        saved_locks(str(tmp_path), 2, 2)


def test_masses_and_mean_reward_are_those_of_the_chain() -> None:
    chances = torch.tensor([[0.25, 0.5, 0.125]], dtype=torch.float64)
    exact = chain(chances[0].tolist())
    np.testing.assert_allclose(masses(chances, 9)[0], [float(p) for p in exact.masses(9)])
    wanted = float(exact_moments(exact, 9).mean)
    assert float(mean_reward(chances, 9)[0]) == pytest.approx(wanted)


@pytest.mark.parametrize("group", [2, 3])
def test_the_expected_update_is_that_of_all_groups(group: int) -> None:
    """Enumerated: all groups of outcomes, with the advantages as the trainer makes them."""
    chances = torch.tensor([[0.3, 0.6]], dtype=torch.float64, requires_grad=True)
    law = masses(chances, 4)[0]
    outcomes = torch.cat([law, 1 - law.sum()[None]])
    rewards = torch.tensor([4.0, 3.0, 2.0, 1.0, 0.0], dtype=torch.float64)
    total = torch.zeros((), dtype=torch.float64)
    for chosen in product(range(5), repeat=group):
        earned = rewards[list(chosen)]
        if (earned == earned[0]).all():
            continue
        advantages = (earned - earned.mean()) / earned.std()
        chance = outcomes[list(chosen)].detach().prod()
        for at, advantage in zip(chosen, advantages, strict=True):
            if outcomes[at] > 0:
                total = total + chance * advantage * outcomes[at].log() / group
    wanted = torch.autograd.grad(total, chances, retain_graph=True)[0]
    expected = expected_group(law, group)
    found = torch.autograd.grad(expected.surrogate, chances)[0]
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-7)
    assert expected.equal == pytest.approx(float((outcomes.detach() ** group).sum()))
