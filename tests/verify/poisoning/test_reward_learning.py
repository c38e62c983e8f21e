"""The claims on learnt rewards: landmarks by hand, controls, witnesses, and the refutation."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import flint
import pytest

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import FlipProblem, solve_flips
from holdfast.solvers.poisoning.rewards.exact_loss import (
    gradient,
    label_moments,
    probabilities,
    unseen_rewards,
)
from holdfast.solvers.poisoning.rewards.separability import separation
from holdfast.verify.binding.balls import from_arb
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.binding.values import Ball
from holdfast.verify.campaign.summary import summarise
from holdfast.verify.engine.examiner import Kind, Shard, run_shard
from holdfast.verify.kernel import Verdict, check
from holdfast.verify.poisoning.claims.reward_attacks import policy_gap
from holdfast.verify.poisoning.families import rewards, taught_rewards
from holdfast.verify.search.counterexample import Refuter, certify, certify_witness

F = Fraction
CLAIMS = {c.name: c for c in shipped() if c.name.startswith("reward-learning/")}


def values_at(name: str, landmark: str) -> list[dict[str, object]]:
    claim = CLAIMS[f"reward-learning/{name}"]
    found = claim.evaluate(*claim.family.landmark(landmark))
    return [{quantity.name: value for quantity, value in values.items()} for values in found]


def middle(value: object) -> float:
    assert isinstance(value, Ball)
    with flint.ctx.workprec(128):
        low, high = from_arb(value.compute())
    return float((low + high) / 2)


# -- families ------------------------------------------------------------------------------------
@pytest.mark.parametrize("ridged", [False, True])
def test_the_reward_that_is_taught_is_the_minimiser(ridged):
    """Its gradient is 0 exactly, and ridges are positive where they are asked for."""
    family = taught_rewards.taught(ridged=ridged)
    seen = set()
    for index in range(40):
        (case,) = family.draw(PhiloxDraw("taught", ridged, index))
        slope = gradient(case.problem, case.problem.target, case.reward, case.ridge)
        assert not any(slope.numerators)
        assert (case.ridge > 0) is ridged
        assert all(0 <= label <= 1 for label in case.problem.target.fractions())
        seen.add((any(case.reward.numerators), case.problem.weights is not None))
    assert {(True, False), (True, True)} <= seen


def test_labels_that_should_be_separated_are():
    """Most of them: not those of a reward that scores no pair."""
    family = taught_rewards.separated()
    found = [
        separation(problem, problem.benign).separable
        for (problem,) in (family.draw(PhiloxDraw("separated", index)) for index in range(30))
    ]
    assert found.count(True) > 20


def test_two_labellings_are_of_every_kind():
    drawn = [rewards.labelled().draw(PhiloxDraw("labelled", index))[0] for index in range(60)]
    same = [p for p in drawn if label_moments(p, p.benign) == label_moments(p, p.target)]
    assert 0 < len(same) < 30
    assert {p.n_features for p in drawn} == {1, 2, 3}
    assert any(p.rank < p.n_features for p in drawn)


# -- landmarks by hand ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("landmark", "separable"),
    [
        # labels of benign, then of target (all 1, or 0 where the landmark says so)
        ("ordered", [1, 0]),  # phi = 1, -2: labels 1, 0 are right at r = 1; 1, 1 are not
        ("partly", [1, 1]),  # e_1, then e_2 twice: labels 1, 1, 0; and all 1 is right at (1, 1)
        ("soft between", [0, 1]),
        ("opposite", [0, 0]),
        ("no difference", [0, 0]),
    ],
)
def test_existence_by_hand(landmark, separable):
    found = values_at("existence", landmark)
    assert [values["separable"] for values in found] == separable
    assert [values["interior"] for values in found] == [1 - value for value in separable]
    for values in found:
        for value in values.values():
            assert check(value.document()).accepted


def test_the_loss_gap_by_hand():
    """phi = 1, 2, weights 3, 1/2, all labels from 1 to 0: the moments move by 3 + 1 = 4, and with
    them the loss at the reward log 2; at 4 log 2 by -16, as 4^2."""
    (values,) = values_at("sufficient-statistic", "weighted")
    assert values == {
        "loss_gap": -4, "moment_score": 4, "gap_along": -16, "moment_squares": 16, "q": 1,
    }  # fmt: skip


def test_preferences_of_a_policy_by_hand():
    """Scores 1 and 0 at temperature 2: pi = (2/3, 1/3), and (4/3 : 2/3)^2 = 4 is 2^2, so 4/5."""
    (values,) = values_at("same-policy", "hot")
    assert values == {"policy_shift": 0, "p_reward": F(4, 5), "p_implicit": F(4, 5)}


def test_the_target_of_one_pair_by_hand():
    """sigma(-log 2) = 1/3, from the sure label 1: 2/3 of a flip."""
    (values,) = values_at("reformulation", "one pair")
    assert values == {"cost_attack": F(2, 3), "cost": F(2, 3), "slope": 0, "policy_gap": 0}
    assert check(values["cost"].document()).accepted


def test_the_ridge_minimisers_of_a_flat_pair():
    """phi = 1/1000, lambda = 1/100, label 1 against 0: r solves sigma(phi r) -+ 1/2 ... r is
    antisymmetric, about 0.1/2 on either side, less a relative phi^2/(4 lambda)."""
    (values,) = values_at("stability", "flat")
    bound = 1e-3 / 1e-2
    assert middle(values["moment_gap"]) == pytest.approx(1e-3, rel=1e-15)
    assert middle(values["distance"]) == pytest.approx(bound / (1 + 1e-6 / 0.04), rel=1e-9)


def test_rounding_by_hand():
    """Labels 1/4 with two copies become 1/2: two pairs move the moment by 2 phi/4 = phi/2."""
    (values,) = values_at("rounding-stability", "two")
    assert (values["k"], values["m"], values["longest"]) == (2, 2, F(1, 10**6))
    assert middle(values["distance"]) == pytest.approx(1e-3 / 2 / 10, rel=1e-6)


# -- controls and mutants ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "assumption", "quantity"),
    [
        ("reformulation", "coverage", "policy_gap"),
        ("reformulation", "attained", "cost_attack"),
        ("same-training", "moments", "gradient_gap"),
        ("same-training", "moments", "path_gap"),
        ("same-training", "moments", "ridge_slope"),
    ],
)
def test_each_assumption_is_needed_for_what_it_is_there(name, assumption, quantity):
    """Without coverage policies differ, without attained it costs nothing, without moments the
    gradients, the paths and the minimisers differ; the other parts may still hold."""
    claim = CLAIMS[f"reward-learning/{name}"]
    family = claim.family.without(assumption)
    broken = 0
    for index in range(20):
        case = family.draw(PhiloxDraw(name, assumption, index))
        (values,) = claim.evaluate(*case)
        found = {each.name: value for each, value in values.items()}
        expected = found["cost"] if quantity == "cost_attack" else 0
        broken += found[quantity] != expected
    assert broken >= 5


def test_without_coverage_another_minimiser_has_another_policy():
    """One pair e_1, answers that differ by e_2: the rewards -log 2 (1, 0) and log 2 (-1, 1) both
    minimise the loss of the labels 1/3 exactly, and prefer with 1/2 and with 2/3."""
    problem = FlipProblem.of([[1], [0]], 1, F(1, 3))
    (shift,) = unseen_rewards(problem)
    minimiser = Vector((-1, 0))
    other = Vector((-1, shift[1].numerator))
    for reward in (minimiser, other):
        assert not any(gradient(problem, problem.target, reward).numerators)
    chances = [
        probabilities(problem.with_features([[0], [1]]), reward)[0] for reward in (minimiser, other)
    ]
    assert chances[0] == F(1, 2)
    assert abs(chances[0] - chances[1]) == F(1, 6)
    assert policy_gap(problem, minimiser, (Vector((0, 1)),)) == F(1, 6)
    assert policy_gap(problem, minimiser, (Vector((1, 0)),)) == 0


@pytest.mark.parametrize(
    ("name", "mutant"),
    [("sufficient-statistic", "L0-close"), ("sufficient-statistic", "L0-far"),
     ("stability", "X3-half")],
)  # fmt: skip
def test_the_kernel_accepts_the_witnesses(name, mutant):
    claim = CLAIMS[f"reward-learning/{name}"]
    named = next(one for one in claim.named_mutants if one.name == mutant)
    assert certify_witness(named).report.accepted


@pytest.mark.parametrize("landmark", ["one pair", "two pairs"])
def test_the_literal_reading_is_refuted_by_proved_numbers(landmark):
    """Benign labels 1 are separated, at the cost 0; the program asks for 2/3, or 2/3 + 4/5."""
    claim = CLAIMS["reward-learning/literal-attack"]
    seen = Refuter(claim).refute(claim.family.landmark(landmark))
    assert seen is not None
    assert seen.values["cost_labels"] == 0
    assert seen.values["separable"] == 1
    assert seen.values["cost"] == (F(2, 3) if landmark == "one pair" else F(22, 15))
    certified = certify(claim, seen.case, seen.part, seen.values)
    assert certified.report.accepted
    # the cost of the labels is a constant, the sum of no flips
    assert (certified.report.proved, certified.report.given) == (2, 1)


def test_the_literal_reading_is_right_about_labels_with_a_minimiser():
    """Two opposite pairs with the label 1 are not separated, and then nothing is claimed of 0."""
    claim = CLAIMS["reward-learning/literal-attack"]
    problem = FlipProblem.of([[1, -1]], 1, [F(1, 2), 1])
    assert solve_flips(problem).value > 0
    assert Refuter(claim).refute((problem,)) is None


def test_a_reward_that_is_not_the_minimiser_is_a_fault_of_the_claim():
    from holdfast.verify.binding.values import ClaimError

    claim = CLAIMS["reward-learning/reformulation"]
    (case,) = claim.family.landmark("one pair")
    wrong = replace(case, taught=replace(case.taught, reward=Vector((5,))))
    with pytest.raises(ClaimError, match="does not minimise"):
        list(claim.evaluate(wrong))
    training = CLAIMS["reward-learning/same-training"]
    taught, other, begin = training.family.landmark("opposite")
    with pytest.raises(ClaimError, match="does not minimise"):
        list(training.evaluate(replace(taught, reward=Vector((1,))), other, begin))


def test_smaller_constants_would_be_noticed_on_sharp_landmarks_alone():
    """The largest ratio of both sides is within 3e-8 of 1, so no constant below 1 survives."""
    claim: Claim = CLAIMS["reward-learning/stability"]
    shard = Shard(claim.name, Kind.LANDMARKS, 0, len(claim.family.landmarks), 0)
    summary = summarise(claim, [run_shard(claim, shard)])
    assert summary.verdict is Verdict.HOLDS
    assert summary.tightest is not None and summary.tightest.ratio is not None
    assert 1 - 3e-8 < summary.tightest.ratio < 1


def test_a_separated_direction_lowers_the_loss_for_ever():
    """What the empty set of minimisers means: from any reward, here 0, the loss of the benign
    labels falls along the direction, and goes on falling."""
    (problem,) = CLAIMS["reward-learning/literal-attack"].family.landmark("two pairs")
    direction = separation(problem, problem.benign).direction
    assert direction is not None
    scores = [float(u) for u in problem.scores(direction.fractions()).fractions()]
    losses = [sum(math.log1p(math.exp(-t * u)) for u in scores) for t in range(20)]
    assert all(later < earlier for earlier, later in pairwise(losses))
