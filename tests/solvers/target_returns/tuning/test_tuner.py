"""The safe tuner: what it certifies, proposes, refuses and says."""

from __future__ import annotations

import copy
import re
from dataclasses import fields as fields_of
from dataclasses import replace
from fractions import Fraction
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from holdfast.solvers.errors import ModelError
from holdfast.solvers.target_returns import Proposal, Surface, Tuner, Tuning
from holdfast.solvers.target_returns.gaussian.kernels import GridKernel, Kernel
from holdfast.solvers.target_returns.gaussian.posterior import Posterior
from holdfast.solvers.target_returns.tuning import safe_sets
from holdfast.solvers.target_returns.tuning.reachability import reachable

LINE = np.linspace(0.0, 1.0, 9)[:, None]
COSTS = 2.0 * LINE[:, 0] - 1.0  # safe up to 0.75 under the limit 1/2, with a slope of 2
REWARDS = LINE[:, 0]
SMOOTH = Surface(Kernel("rbf", 1.0, (0.5,)), 0.05)
METHODS: dict[str, dict[str, Any]] = {
    "pls": {},
    "pls by distance": {"rule": "lipschitz", "lipschitz": 2.0},
    "pls as printed": {
        "rule": "printed", "lipschitz": 2.0, "expanders": "printed", "initial": "printed",
    },
    "safeopt": {"method": "safeopt"},
    "stageopt": {"method": "stageopt", "rule": "lipschitz", "lipschitz": 2.0},
    "goose": {"method": "goose"},
    "losbo": {"method": "losbo", "rule": "lipschitz", "lipschitz": 2.0, "noise_bound": 0.05},
}  # fmt: skip


def tuning(**changed: Any) -> Tuning:
    usual: dict[str, Any] = {"reward": SMOOTH, "cost": SMOOTH, "tolerance": 0.2, "evaluations": 25}
    return Tuning(LINE, (0,), 0.5, **{**usual, **changed})


def noise(step: int) -> float:
    return 0.02 * (-1.0) ** step


def run(tuner: Tuner) -> Tuner:
    while (proposal := tuner.ask()) is not None:
        off = noise(len(tuner.history))
        tuner.tell(proposal, REWARDS[proposal.index] - off, COSTS[proposal.index] + off)
    return tuner


@pytest.mark.parametrize("name", METHODS)
def test_only_what_is_certified_and_safe_is_proposed_and_the_best_is_found(name: str) -> None:
    tuner = Tuner(tuning(**METHODS[name]))
    while (proposal := tuner.ask()) is not None:
        assert tuner.safe[proposal.index]
        assert COSTS[proposal.index] <= 0.5 and proposal.upper <= 0.5
        assert f"Target {proposal.index} is" in proposal.reason
        off = noise(len(tuner.history))
        tuner.tell(proposal, REWARDS[proposal.index] - off, COSTS[proposal.index] + off)
    assert tuner.stopped is not None and tuner.stopped.endswith(".")
    assert (COSTS[tuner.safe] <= 0.5).all()
    # from 0.625, whose cost is 0.25, the slope reaches the limit just at 0.75, so with any width
    # at all that is out of reach; the direct rule sees no target expand beyond 0.5
    by_distance = tuner.tuning.rule != "direct"
    assert REWARDS[tuner.recommend()] == (0.625 if by_distance else 0.5)


def test_upper_confidence_bounds_alone_are_not_safe() -> None:
    tuner = run(Tuner(tuning(method="ucb")))
    assert any(COSTS[step.index] > 0.5 and step.exceeded for step in tuner.history)
    unsafe = [s.proposal for s in tuner.history if s.proposal and COSTS[s.index] > 0.5]
    assert "does not ask for safety" in unsafe[0].reason


@pytest.mark.parametrize("name", METHODS)
def test_a_replay_of_what_was_told_is_equal_bit_for_bit(name: str) -> None:
    first = run(Tuner(tuning(**METHODS[name])))
    again = Tuner(tuning(**METHODS[name]))
    for step in first.history:
        again.tell(step.index, step.reward, step.cost)
    assert again.history == first.history
    assert (again.ask(), again.stopped) == (first.ask(), first.stopped)
    for ours, theirs in zip(again.bounds, first.bounds, strict=True):
        assert (ours == theirs).all()


def test_asking_changes_nothing_and_any_target_may_be_told() -> None:
    tuner, other = Tuner(tuning()), Tuner(tuning())
    assert tuner.ask() is tuner.ask()
    for index in (1, 0, 0, 1):
        tuner.ask()
        for one in (tuner, other):
            one.tell(index, REWARDS[index], COSTS[index])
    assert tuner.ask() == other.ask() is not None
    assert not tuner.history[0].asked  # the seed was proposed, 1 was told
    posterior = Posterior(SMOOTH.kernel, LINE, SMOOTH.noise**2)
    for index in (1, 0, 0, 1):
        posterior.append(index, float(REWARDS[index]))
    alpha = np.sqrt(2 * np.log(9 * 25 * np.pi**2 / (6 * 0.05)))  # 9 targets, the fifth time
    for ours, theirs in zip(tuner.bounds[2:], posterior.bounds(float(alpha)), strict=True):
        assert np.abs(ours - theirs).max() < 1e-12


def test_a_seed_that_is_observed_to_be_unsafe_ends_it() -> None:
    tuner = Tuner(tuning())
    tuner.tell(0, 0.0, 3.0)
    assert tuner.ask() is None and tuner.unsafe is not None and tuner.unsafe[0] == 0
    assert tuner.stopped is not None and tuner.stopped.startswith("The seed 0 is not safe")
    with pytest.raises(ModelError, match="no target can be recommended: The seed 0"):
        tuner.recommend()


LOSBO = {**METHODS["losbo"], "lipschitz": 1.0, "noise_bound": 0.5}
NEAR = Surface(Kernel("matern12", 16.0, (0.01,)), 0.1, 8.0)
ROUGH = {"rule": "lipschitz", "lipschitz": 1.0, "cost": NEAR}
APART: dict[str, tuple[dict[str, Any], list[tuple[int, float]], str]] = {
    # the second cost is 3.0 above the first: twice the bound is 1.0, and the step 1.0
    "losbo, one target": (LOSBO, [(1, 0.0), (1, 1.1)], "twice the noise bound 0.5, which is false"),
    "losbo, two": (LOSBO, [(0, -3.0), (1, -0.9)], "the Lipschitz constant 1 allow at their dist"),
    "losbo, two the other way": (LOSBO, [(1, 0.4), (0, -1.7)], "one of the two is false"),
    "losbo, a seed": (LOSBO, [(2, 3.1)], "above the limit than .* the distance of the seed 0"),
    # bounds of 0.1 times 3.6: at least 4.1 and at most 0.4 at the distance 1
    "lipschitz": (ROUGH, [(0, 0.0), (1, 4.5)], "which the Lipschitz constant 1 does not allow"),
    "lipschitz the other way": (ROUGH, [(1, 1.3), (0, -1.0)], "target 1 is at least .* target 0"),
    # bounds of 0.4 / sqrt(40), and noise of 0.1 that reaches 0.45
    "noise": ({"cost": NEAR}, [(0, 0.0)] * 40 + [(0, 0.7)], "as far as the noise reaches"),
    "empty": ({}, [(2, 9.0)], "the cost of target 2 is at least 8.* and at most 3"),
}  # fmt: skip
ALLOWED = {
    "losbo, one target": [(1, 0.0), (1, 1.0)],
    "losbo, two": [(0, -3.0), (1, -1.0)],
    "losbo, two the other way": [(1, 0.4), (0, -1.6)],
    "losbo, a seed": [(2, 3.0)],
    "lipschitz": [(0, 0.0), (1, 1.0)],
    "lipschitz the other way": [(1, 1.0), (0, 0.0)],
    "noise": [(0, 0.0)] * 40 + [(0, 0.4)],
    "empty": [(2, 3.0)],
}
"""The same, within what is assumed."""


def three(changed: dict[str, Any]) -> Tuner:
    usual: dict[str, Any] = {"reward": SMOOTH, "cost": SMOOTH}
    return Tuner(Tuning(np.arange(3.0)[:, None], (0,), 0.5, **{**usual, **changed}))


@pytest.mark.parametrize("name", APART)
def test_what_contradicts_the_assumptions_ends_it_with_a_sentence(name: str) -> None:
    changed, tells, words = APART[name]
    tuner = three(changed)
    for index, cost in tells:
        assert tuner.refuted is None and tuner.stopped is None
        tuner.tell(index, 0.0, cost)
    assert tuner.refuted is not None and re.search(words, tuner.refuted), tuner.refuted
    assert tuner.stopped == tuner.refuted and tuner.ask() is None
    assert [step.contradicted for step in tuner.history] == [False] * (len(tells) - 1) + [True]
    with pytest.raises(ModelError, match="no target can be recommended: "):
        tuner.recommend()


@pytest.mark.parametrize("name", ALLOWED)
def test_what_the_assumptions_just_allow_does_not_end_it(name: str) -> None:
    tuner = three(APART[name][0])
    for index, cost in ALLOWED[name]:
        tuner.tell(index, 0.0, cost)
    assert tuner.refuted is None and not tuner.history[-1].contradicted
    tuner.recommend()


@pytest.mark.parametrize(
    "changed", [{"unsafe_comparison": True}, {"confidence": 2.0}, {"method": "ucb"}]
)
def test_where_nothing_is_promised_it_goes_on(changed: dict[str, Any]) -> None:
    tuner = three(changed)
    tuner.tell(2, 0.0, 9.0)
    assert tuner.refuted is None and tuner.ask() is not None
    tuner.recommend()


def test_the_sentence_for_a_target_that_is_no_seed_asks_for_no_seed_to_be_removed() -> None:
    tuner = Tuner(tuning(**METHODS["losbo"]))
    tuner.tell(0, 0.0, -1.0)
    tuner.tell(5, 0.0, 0.56)
    assert str(tuner.stopped).startswith("The certified target 5 is not safe")
    assert "correct the seeds, the noise bound or the Lipschitz constant" in str(tuner.stopped)
    assert "remove" not in str(tuner.stopped)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cost": Surface(Kernel("rbf", 0.0025, (0.5,)), 0.05)}, "8 of the 8 targets beside the"),
        (
            {"cost": Surface(SMOOTH.kernel, 0.05, 9.0)},
            "target 0 costs at least .* above the limit, and it is a seed",
        ),
        (
            {"cost": Surface(SMOOTH.kernel, 0.05, -9.0), "cost_range": (0.0, 9.0)},
            "outside cost_range",
        ),
        ({"cost": Surface(Kernel("rbf", 16.0, (0.5,)), 1e-12, 1.0)}, "is too small for 25 evalu"),
        ({"reward": Surface(SMOOTH.kernel, 1e-9)}, "the noise of the reward, of standard deviat"),
    ],
)
def test_what_the_prior_alone_says_or_cannot_say_is_refused(
    changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        Tuner(tuning(**changed))


def test_a_prior_that_certifies_may_be_trusted() -> None:
    narrow = Surface(Kernel("rbf", 0.0025, (0.5,)), 0.05)
    tuner = Tuner(tuning(cost=narrow, trust_prior=True))
    assert tuner.safe.all() and "8 of the 8 targets" in str(tuner.prior)
    assert Tuner(tuning(trust_prior=True)).prior is None


def test_limits_of_many_digits_are_not_rounded_up() -> None:
    """In six digits the limit is 1.23457e+06, and so is the seed's bound, which is below it."""
    cost = Surface(Kernel("rbf", 1.0, (0.5,)), 0.05, 1234570.0)
    tuner = Tuner(Tuning(LINE, (0,), 1234567.8, SMOOTH, cost))
    assert "at most the limit 1234567.8." in str(tuner.ask())
    tuner.tell(0, 0.0, 1234567.0)
    assert "bound on its own cost is 123456" in str(tuner.ask()), tuner.ask()


@pytest.mark.parametrize(
    ("where", "reward", "cost", "message"),
    [
        (0, nan, 0.0, "the reward observed at target 0, which was not taken in, is nan"),
        (0, 0.0, inf, "the cost observed at target 0, which was not taken in, is inf"),
        (0, 0.0, 1.5, "the cost 1.5 observed at target 0 is outside cost_range -1.0 to 1.0"),
        (9, 0.0, 0.0, "the target 9 is not on the grid; its targets are 0 to 8"),
        (True, 0.0, 0.0, "the target is True"),
        (Proposal(0, (0.5,), "seed", "", None, 0.0), 0.0, 0.0, "for another grid"),
    ],
)
def test_what_cannot_be_observed_is_not_taken_in(
    where: Any, reward: float, cost: float, message: str
) -> None:
    tuner = Tuner(tuning(cost_range=(-1.0, 1.0)))
    before = tuner.ask()
    with pytest.raises(ModelError, match=message):
        tuner.tell(where, reward, cost)
    assert tuner.history == () and tuner.ask() == before


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"seeds": ()}, "seeds are empty"),
    ({"seeds": (0, 0)}, "name a target twice"),
    ({"seeds": (9,)}, "the seed 9 is not on the grid"),
    ({"seeds": 0}, "give a tuple of indices"),
    ({"points": np.array([[0.0], [0.0]])}, "repeats row 0"),
    ({"points": np.array([[0.0], [nan]])}, "must be finite"),
    ({"points": LINE.astype(np.float32)}, "float32"),
    ({"failure": 0.0}, "between 0 and 1"),
    ({"failure": 1.0}, "between 0 and 1"),
    ({"limit": nan}, "the limit is nan"),
    ({"cost_range": (1.0, 2.0)}, "no target can be safe"),
    ({"cost_range": (0.0, 0.5)}, "nothing to be careful of"),
    ({"cost_range": (1.0, 0.0)}, "is not a range"),
    ({"method": "plz"}, "method 'plz' is unknown; choose one of pls, safeopt"),
    ({"rule": "lipschitz"}, "needs lipschitz"),
    ({"rule": "lipschitz", "lipschitz": 0.0}, "cost is the same everywhere"),
    ({"rule": "printed", "lipschitz": -1.0}, "cost is the same everywhere"),
    ({"lipschitz": 0.0}, "the direct rule does not use"),
    ({"expanders": "printed"}, "the direct rule does not use"),
    ({"method": "losbo", "rule": "lipschitz", "lipschitz": 1.0}, "losbo needs a bound"),
    ({"noise_bound": 0.1}, "no other method uses one"),
    ({"method": "losbo", "noise_bound": 0.1}, "not by the rule 'direct'"),
    ({"tolerance": -0.1}, "is not a width"),
    ({"method": "goose", "accuracy": 0.1}, "accuracy would have no effect"),
    ({"method": "safeopt", "explorations": 3}, "explorations would have no effect"),
    ({"initial": "printed"}, "certifies every target at once, safe or not; to compare"),
    ({"rule": "printed", "lipschitz": 0.0}, "certifies every target by any other, safe or not"),
    ({"unsafe_comparison": 1}, "give True or False"),
    ({"trust_prior": None}, "trust_prior is None; give True or False"),
    ({"cost": Surface(Kernel("rbf", 1.0, (1e300,)), 0.1)}, "cost would be the same everywhere"),
    ({"reward": Surface(Kernel("rbf", 1.0, (1e300,)), 0.1)}, "reward would be the same every"),
    ({"rule": "lipschitz", "lipschitz": 1e-320}, "cost is the same everywhere"),
    ({"points": [[-1e308], [1e308]]}, "further apart than float64 holds"),
    ({"cost_range": None}, "cost_range is no sequence"),
    ({"cost_range": (0.0,)}, "is not a range"),
    ({"cost_range": (0, 1, 2)}, "is not a range"),
    ({"cost_range": ("0", "1")}, "an end of cost_range is '0'"),
    ({"cost_range": (Fraction(0), Fraction(1))}, "an end of cost_range is Fraction"),
    ({"cost_range": (None, 1)}, "an end of cost_range is None"),
    ({"cost_range": (nan, 1)}, "an end of cost_range is nan"),
    ({"cost": SMOOTH.kernel}, "the cost is Kernel.*; give a Surface"),
    ({"cost": Surface(Kernel("rbf", 1.0, (1.0, 1.0)), 0.1)}, "2 lengths; give one length"),
    ({"cost": Surface(GridKernel(np.zeros((9, 9))), 0.1)}, "largest variance of the cost's"),
    ({"limit": 10**400}, "the limit is 1000.*must be a finite number"),
    ({"points": np.ma.masked_equal(LINE, 0.5)}, "masked entries"),
    ({"points": [[True], [0.5]]}, "holds True or False among its numbers"),
    ({"method": ["pls"]}, "is unknown"),
    ({"evaluations": -1}, "whole number of at least 0"),
    ({"confidence": "bayse"}, "the confidence 'bayse' is unknown"),
    ({"confidence": 0.0}, "must be a finite number above zero"),
    ({"confidence": "determinant"}, "needs a norm of each surface"),
    ({"cost": replace(SMOOTH, norm=1.0)}, "no other confidence uses one"),
]


@pytest.mark.parametrize(("changed", "message"), WRONG, ids=[m for _, m in WRONG])
def test_what_cannot_be_meant_is_refused(changed: dict[str, Any], message: str) -> None:
    fields = {"points": LINE, "seeds": (0,), "limit": 0.5, "reward": SMOOTH, "cost": SMOOTH}
    with pytest.raises(ModelError, match=message):
        Tuning(**{**fields, **changed})


@pytest.mark.parametrize(
    ("kernel", "noise", "message"),
    [
        (None, 0.1, "the kernel is None"),
        ("rbf", 0.1, "the kernel is 'rbf'"),
        (SMOOTH.kernel, 1e-200, "the square of 1e-200, is 0.0"),
        (SMOOTH.kernel, 1e200, r"the square of 1e\+200, is inf"),
        (SMOOTH.kernel, np.longdouble("1e4000"), "deviation of the noise is"),
    ],
)
def test_what_cannot_be_a_surface_is_refused(kernel: Any, noise: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Surface(kernel, noise)


NARROW = [np.uint8(20), np.float16(0.0003), np.int32(70000), np.float32(0.1), np.longdouble(1) / 3]


@pytest.mark.parametrize("number", NARROW, ids=[type(one).__name__ for one in NARROW])
def test_numbers_of_other_types_are_reckoned_with_as_floats(number: Any) -> None:
    """As uint8, 20^2 would be 144; every number of every record is a Python float afterwards."""
    given = Surface(Kernel("rbf", number, (number,)), number, number, number)
    wide = Tuning(
        LINE, (np.int8(0),), number, given, given, lipschitz=number, rule="lipschitz",
        failure=np.float16(0.1), tolerance=number, accuracy=number, confidence="determinant",
        cost_range=(np.int8(-1), np.float32(1e6)), evaluations=np.uint8(3),
        explorations=np.uint8(3),
    )  # fmt: skip
    records = (wide, wide.cost, wide.cost.kernel, wide.reward)
    values = [getattr(one, field.name) for one in records for field in fields_of(one)]
    flat = [x for value in values for x in (value if isinstance(value, tuple) else (value,))]
    assert not any(isinstance(x, np.generic) for x in flat)
    assert Tuner(wide)._cost.noise_variance == float(number) ** 2


def test_losbo_certifies_the_same_by_a_bound_in_half_precision() -> None:
    """-0.99 + 1 + 3 = 3.01 is above the limit; -0.99 + 1 is 0.0098 in half precision."""
    for bound in (np.float16(1.0), 1.0):
        changed: dict[str, Any] = {**METHODS["losbo"], "lipschitz": 1.0, "noise_bound": bound}
        tuner = Tuner(Tuning([[0.0], [3.0]], (0,), 3.00995, SMOOTH, SMOOTH, **changed))
        tuner.tell(0, 0.0, -0.99)
        assert tuner.safe.tolist() == [True, False]


def test_noise_below_what_floats_can_hold_is_reported_and_ends_it() -> None:
    tuner = Tuner(tuning(cost=Surface(SMOOTH.kernel, 3e-7), evaluations=None))
    with pytest.raises(ModelError, match="noise variance"):
        for _ in range(20):
            tuner.tell(0, 0.0, 0.0)
    assert 1 < len(tuner.history) < 20
    assert tuner.ask() is None and "The bounds are lost" in str(tuner.stopped)
    with pytest.raises(ModelError, match="no target can be recommended: The bounds are lost"):
        tuner.recommend()
    for posterior in (tuner._cost, tuner._reward):
        assert len(posterior.observations[0]) == len(tuner.history)


@pytest.mark.parametrize(("reward", "cost"), [(0.0, 1e160), (1e308, 0.0), (0.0, -1e308)])
def test_what_overflows_is_not_taken_in_and_it_goes_on(reward: float, cost: float) -> None:
    tuner, other = Tuner(tuning()), Tuner(tuning())
    for step in range(3):
        asked = tuner.ask()
        with pytest.raises(ModelError, match="not finite in float64"):
            tuner.tell(0, reward, cost)
        assert tuner.ask() == asked and tuner.stopped is None
        for one in (tuner, other):
            one.tell(0, 0.0, -1.0 + noise(step))
    assert tuner.history == other.history
    for ours, theirs in zip(tuner.bounds, other.bounds, strict=True):
        assert np.isfinite(ours[tuner.safe]).all() and (ours == theirs).all()


def test_a_proposal_that_was_changed_is_refused_and_earlier_ones_are_not() -> None:
    tuner = Tuner(tuning())
    first = tuner.ask()
    assert first is not None
    with pytest.raises(ModelError, match="was not made by this tuner"):
        tuner.tell(replace(first, upper=-99.0), 0.0, -1.0)
    tuner.tell(0, 0.0, -1.0)
    tuner.tell(first, 0.0, -1.0)
    assert [step.index for step in tuner.history] == [0, first.index]


@pytest.mark.parametrize(
    "changed",
    [
        {"initial": "printed", "unsafe_comparison": True},
        {"rule": "printed", "lipschitz": 0.0, "unsafe_comparison": True},
        {"confidence": 2.0},
    ],
)
def test_rules_without_a_promise_call_no_target_safe(changed: dict[str, Any]) -> None:
    tuner = run(Tuner(tuning(**changed)))
    reasons = [step.proposal.reason for step in tuner.history if step.proposal]
    assert any("certified by rules that promise nothing here" in reason for reason in reasons)
    assert not any("is safe" in reason for reason in reasons)
    promised = run(Tuner(tuning()))
    assert any(step.proposal and "is safe" in step.proposal.reason for step in promised.history)


def test_zero_in_the_printed_union_certifies_every_target_and_none_does_not() -> None:
    fields: dict[str, Any] = {"rule": "printed", "lipschitz": 0.0, "initial": "printed"}
    literal = Tuner(tuning(**fields, unsafe_comparison=True))
    assert literal.safe.all() and (COSTS > 0.5).any()
    assert Tuner(tuning()).safe.sum() == 1


def test_the_printed_interval_certifies_all_under_the_direct_rule_only() -> None:
    assert Tuner(tuning(initial="printed", unsafe_comparison=True)).safe.all()
    by_members = Tuner(tuning(initial="printed", rule="lipschitz", lipschitz=2.0))
    assert by_members.safe.sum() == 1


def test_losbo_certifies_by_what_was_observed_alone() -> None:
    """y + E + L d = -1 + 0.05 + 2 k/8 <= 1/2 holds for k <= 5, whatever the kernel says."""
    for kernel in (SMOOTH.kernel, Kernel("rbf", 1e-6, (5.0,))):
        tuner = Tuner(tuning(**METHODS["losbo"], cost=Surface(kernel, 0.1)))
        assert tuner.safe.sum() == 1
        tuner.tell(0, 0.0, -1.0)
        assert np.flatnonzero(tuner.safe).tolist() == [0, 1, 2, 3, 4, 5]
        tuner.tell(5, 0.0, 0.56)
        assert tuner.unsafe == (5, np.nextafter(0.56 - 0.05, -inf))


def test_the_recommendation_is_of_the_least_width_and_not_the_last() -> None:
    """Both targets safe; the first is tried twice, its width falls, and the other is the last."""
    independent = Surface(GridKernel(np.eye(2)), 1.0)
    tuner = Tuner(
        Tuning(
            np.array([[0.0], [1.0]]), (0, 1), 9.0, independent, independent, confidence=2.0,
        )
    )  # fmt: skip
    for reward in (1.5, -9.0, -9.0):
        proposal = tuner.ask()
        assert proposal is not None and proposal.phase == "maximise"
        tuner.tell(proposal, reward, 0.0)
    assert [step.index for step in tuner.history] == [0, 0, 1]
    widths = [step.reward_width for step in tuner.history]
    assert np.allclose(widths, [4.0, 4.0 / np.sqrt(2), 4.0])
    assert tuner.recommend() == 0


def test_accuracy_ends_it_with_a_target_that_is_as_good() -> None:
    tuner = run(Tuner(tuning(accuracy=0.4, evaluations=200)))
    assert "within the accuracy 0.4" in str(tuner.stopped)
    assert len(tuner.history) < 200 and REWARDS[tuner.recommend()] >= 0.5 - 0.4


def test_expanders_of_the_direct_rule_are_those_of_a_fictitious_observation() -> None:
    """Against posteriors to which the lower bound is appended; some expand and some do not."""
    seen = set()
    for step in range(4):
        tuner = Tuner(tuning(evaluations=step, tolerance=0.0))
        run(tuner)
        inside = np.flatnonzero(tuner.safe)
        found = tuner._expands(inside)
        alpha = tuner._alpha(tuner.tuning.cost, tuner._cost)
        for index, expands in zip(inside.tolist(), found.tolist(), strict=True):
            other = copy.deepcopy(tuner._cost)
            other.append(index, float(tuner.bounds[0][index]))
            high = other.bounds(alpha)[1]
            assert expands == bool((high[~tuner.safe] <= 0.5).any())
            seen.add(expands)
    assert seen == {True, False}


@pytest.mark.parametrize("tile", [4, 16])
def test_tiles_decide_as_all_pairs_do(tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is certified, by whom and with which bound, to the last bit; ties on lattices, too."""
    monkeypatch.setattr(safe_sets, "_BLOCK", 0)
    monkeypatch.setattr(safe_sets, "_TILE", tile)
    rng, grown = np.random.default_rng(tile), 0
    for case in range(60):
        count, dimension = int(rng.integers(20, 120)), 1 + case % 3
        points = rng.uniform(0, 1, (count, dimension))
        if case % 2:
            points = np.unique(rng.integers(0, 8, (count, dimension)), axis=0).astype(float)
        upper = rng.choice([-0.5, 0.0, 0.25, 0.5], len(points)) if case % 4 else rng.normal(
            0, 1, len(points))  # fmt: skip
        sources = np.sort(rng.choice(len(points), int(rng.integers(1, len(points))), replace=False))
        surface = Surface(Kernel("rbf", 1.0, (0.5,) * dimension), 0.1, 5.0)
        constant = float(rng.choice([0.5, 1.0, 3.0]))
        given = Tuning(points, (0,), 1.0, surface, surface, rule="lipschitz", lipschitz=constant)
        found = safe_sets.SafeSet(given)
        outside = found.outside()
        distance = np.maximum(cdist(points[sources], points[outside]), 1e-150)
        total = upper[sources, None] + found._slope * distance
        total = np.nextafter(total, inf)
        nearest = total.argmin(axis=0)
        bound = total[nearest, np.arange(len(outside))]
        found.reach(sources, upper[sources])
        assert (found.member[outside] == (bound <= 1.0)).all()
        new = bound <= 1.0
        assert (found.by[outside[new]] == sources[nearest[new]]).all()
        assert (found.upper[outside[new]] == bound[new]).all()
        grown += new.sum()
        inside, left = np.flatnonzero(found.member), found.outside()
        if len(left):
            least = upper[inside] + constant * cdist(points[inside], points[left]).min(axis=1)
            assert (found.expanders(inside, upper) == (least <= 1.0)).all()
    assert grown > 500


def test_reach_by_hand() -> None:
    """Costs 0, 1, 2, 3 at distance 1, L = 1, limit 3: z' is reached from J + d <= 3 - margin."""
    points, costs = np.arange(4.0)[:, None], (0, 1, 2, 3)
    assert reachable(points, costs, {0}, 3, 1) == {0, 1, 2, 3}
    assert reachable(points, costs, {0}, 3, 1, 1) == {0, 1, 2}
    assert reachable(points, costs, {0}, 3, 1, 3) == {0}
    assert reachable(points, costs, {3}, 2, 1) == {3}
    assert reachable(points, costs, {3}, 3, 1, -1) == {3, 2, 1, 0}
