"""From limits to a flip: what is trained, measured and mixed, and what is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from holdfast.solvers import ModelError
from holdfast.solvers.neural.chance import (
    FlippingPolicy,
    TwoHeadPolicy,
    judge,
    train_flipping,
)
from holdfast.solvers.neural.parts.evaluation import Episodes
from holdfast.solvers.neural.parts.judging import envelope

from ....zoo.corridor import Corridor
from .networks import constant, two_heads

torch.set_num_threads(1)
DISCS = "holdfast/TwoDiscs8-v0"
SMALL: dict[str, Any] = {"n_envs": 16, "rollout": 15, "batch": 60, "width": 8, "episodes": 40}
FEW = 3 * 16 * 15
"""Environment steps of three updates."""


@dataclass
class Stubs:
    """Trainings that cost nothing: at limit l the risk is r(l), and 100 r(l) is earned."""

    risk: Callable[[Fraction], Fraction]
    trained: list[Any]

    def obtain(self, training: Any, *, folder: Any, progress: Any) -> Any:
        self.trained.append(training)
        for update in range(1, training.options.updates + 1):
            if progress:
                progress(update, training.options.updates, {"cost": 0.5})
        return self

    def result(self) -> Any:
        if self.trained[-1].algorithm == "chance/flipping":
            return FlippingPolicy.of_heads(two_heads([0, 0, 0]))
        return constant(len(self.trained) % 2)

    def evaluate(
        self, policy: Any, task: str, *, episodes: int, seed_words: tuple[str, str], **_: Any
    ) -> Episodes:
        limit = next(t.options.limit for t in self.trained if t.digest == seed_words[1])
        risk = self.risk(Fraction(limit).limit_denominator(1000))
        return Episodes(episodes, int(risk * episodes), 100 * risk * episodes, Fraction(0))


@pytest.fixture(name="stubs")
def _stubs(monkeypatch: pytest.MonkeyPatch) -> Stubs:
    stubs = Stubs(lambda limit: limit, [])
    functions = train_flipping.__globals__
    monkeypatch.setitem(functions, "obtain", stubs.obtain)
    monkeypatch.setitem(functions, "evaluate", stubs.evaluate)
    return stubs


def limits(stubs: Stubs) -> list[float]:
    return [training.options.limit for training in stubs.trained]


def test_limits_lie_on_both_sides_of_the_level_and_the_best_two_are_flipped(stubs: Stubs) -> None:
    """Risks are 1/10 and 3/10 for a level of 1/5 exactly between them."""
    policy = train_flipping(DISCS, level="1/5", levels=["1/10", "3/10"], episodes=1000)
    assert (policy.limits, policy.probability) == (
        (Fraction(1, 10), Fraction(3, 10)),
        Fraction(1, 2),
    )
    assert policy.measured[Fraction(3, 10)].violations == 300
    assert (policy.first.predict(np.eye(3)[0])[0], policy.second.predict(np.eye(3)[0])[0]) == (1, 0)
    stubs.trained.clear()
    train_flipping(DISCS, level=0.4)
    assert limits(stubs) == [0.1, 0.2, 0.4, 0.8, 1.0]


def test_two_heads_are_taken_alone_and_only_if_safe_enough(stubs: Stubs) -> None:
    policy = train_flipping(DISCS, level="2/5", form="step")
    assert limits(stubs) == [0.2, 0.3, 0.4]
    assert policy.form == "step"
    assert policy.limits == (Fraction(2, 5), Fraction(2, 5))
    assert isinstance(policy.first, TwoHeadPolicy)
    stubs.risk = lambda limit: limit + Fraction(1, 10)
    policy = train_flipping(DISCS, level="2/5", form="step")
    assert policy.limits == (Fraction(3, 10), Fraction(3, 10))
    with pytest.raises(ModelError, match=r"no policy is safe enough: .* risk is 0\.5"):
        train_flipping(DISCS, level="2/5", levels=[0.4], form="step")


def test_a_limit_in_floats_is_the_decimal_that_it_is_written_as(stubs: Stubs) -> None:
    """What is trained, and so the digest of the run, is the same float either way."""
    found = {}
    for name, levels in {"float": [0.05, np.float64(0.3)], "exact": ["1/20", "3/10"]}.items():
        stubs.trained.clear()
        found[name] = train_flipping(DISCS, level="1/5", levels=levels, episodes=1000)
        assert limits(stubs) == [0.05, 0.3]
    assert found["float"].measured[Fraction(1, 20)].violations == 50
    assert found["float"].limits == found["exact"].limits == (Fraction(1, 20), Fraction(3, 10))
    usual = train_flipping(DISCS, level=0.2)
    assert set(usual.measured) == {Fraction(k, 20) for k in (1, 2, 4, 8, 16)}


def test_the_policy_that_is_least_unsafe_is_named_by_its_limit(stubs: Stubs) -> None:
    with pytest.raises(ModelError, match=r"\(policy 2 of 2, trained at the limit 0\.2\)"):
        train_flipping(DISCS, level=0.1, levels=[0.3, 0.2])


def test_a_margin_makes_the_flip_safer(stubs: Stubs) -> None:
    plain, wary = (
        train_flipping(DISCS, level="1/5", levels=["1/10", "3/10"], episodes=1000, margin=margin)
        for margin in ("none", "upper")
    )
    assert wary.probability < plain.probability


def test_progress_counts_through_all_trainings(stubs: Stubs) -> None:
    told: list[tuple[int, int, float]] = []
    train_flipping(
        DISCS, level="1/5", levels=["1/10", "3/10"], steps=FEW, **SMALL,
        progress=lambda update, updates, line: told.append((update, updates, line["limit"])),
    )  # fmt: skip
    assert told == [(i, 6, 0.1 if i <= 3 else 0.3) for i in range(1, 7)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"form": "once"}, "form is 'once'; forms are episode, printed, step"),
        ({"form": "step", "algorithm": "cpo"}, "algorithm is 'cpo'; two heads"),
        ({"algorithm": "cbo"}, "no algorithm is named 'chance/cbo'; did you mean chance/cpo"),
        ({"level": 2}, "level is 2; it must lie in"),
        ({"levels": ["1/10", -1]}, r"levels\[1\] is -1; it must lie in"),
        ({"limit": 0.1}, "limit is 0.1; policies are trained at several limits, give levels"),
        ({"n_env": 3}, "no option is named 'n_env'; did you mean n_envs"),
        ({"env": "holdfast/TwoDisc-v0"}, "did you mean 'holdfast/TwoDiscs-v0'"),
        ({"env": Corridor(), "n_envs": 2}, "n_envs is 2, and there is one environment"),
        ({"env": 3}, "env is a int; give the id of a task"),
        ({"cost": lambda *_: 1.0}, "is an exact task, whose cost is whether"),
    ],
)
def test_bad_input_is_refused_before_anything_is_trained(
    tmp_path: Path, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        train_flipping(**{"env": DISCS, "level": 0.1, "folder": tmp_path} | arguments)
    assert not list(tmp_path.rglob("policy.safetensors"))


@pytest.mark.slow
def test_what_was_trained_is_looked_up_and_is_the_same(tmp_path: Path) -> None:
    told: list[int] = []

    def trained(**changed: Any) -> FlippingPolicy:
        told.clear()
        arguments = {"level": 1, "levels": ["1/2", 1], "steps": FEW, "seed": 3, **SMALL}
        return train_flipping(
            DISCS,
            folder=tmp_path,
            progress=lambda update, *_: told.append(update),
            **arguments | changed,
        )

    first = trained()
    assert told == [1, 2, 3, 4, 5, 6]
    again = trained()
    assert not told
    assert again.measured == first.measured
    assert again.limits == first.limits
    assert len(list(tmp_path.glob("*/run.json"))) == 2
    weights = [policy.second.state_dict().values() for policy in (first, again)]
    assert all(torch.equal(one, other) for one, other in zip(*weights, strict=True))
    other = trained(seed=4)
    assert told
    assert other.measured != first.measured
    heads = trained(form="step", levels=[1])
    assert told == [1, 2, 3]
    saved = FlippingPolicy.load(heads.save(tmp_path / "kept"))
    assert saved.measured == heads.measured


CORRIDOR: dict[str, Any] = {"rollout": 60, "batch": 60, "width": 8, "episodes": 50, "steps": 360}
"""Six updates of thirty episodes each."""


class Watched(Corridor):
    """Says whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


def test_an_environment_is_stepped_as_it_is_and_left_open(tmp_path: Path) -> None:
    world = Watched()
    world.spec = spec = gymnasium.envs.registration.EnvSpec("Mine-v0", max_episode_steps=2)
    policy = train_flipping(world, level=1, levels=[1], folder=tmp_path, **CORRIDOR)
    assert not world.closed
    assert world.spec is spec
    assert not [name for name in gymnasium.registry if name.startswith("given/")]
    assert len(list(tmp_path.glob("*/policy.safetensors"))) == 1
    seen = policy.measured[Fraction(1)]
    assert seen.returns_sum == 50 - seen.violations  # an episode is worth 1 unless it crashes
    assert policy.observation_space.shape == (4,)  # the flag is appended


def crashed(before: Any, action: Any, after: Any, info: dict[str, Any]) -> float:
    """Whether the second step differs from the first."""
    assert not info
    return float(before[0] == 0 and before[1 + action] == 0)


@pytest.mark.slow
def test_a_cost_may_come_from_a_function() -> None:
    with pytest.raises(ModelError, match=r"Corridor has no cost: .* or give make"):
        train_flipping(Corridor(costs=False), level=1, **CORRIDOR)
    told, silent = (
        train_flipping(world, level=1, levels=[1], cost=cost, **CORRIDOR).measured[Fraction(1)]
        for world, cost in ((Corridor(), None), (Corridor(costs=False), crashed))
    )
    assert silent.returns_sum == 50 - silent.violations
    assert told.returns_sum == 50 - told.violations


def test_a_registered_environment_may_be_given_a_cost(tmp_path: Path) -> None:
    policy = train_flipping(
        "Pendulum-v1",
        cost=lambda seen, *_: seen[0] < -0.9,  # upside down
        level=1,
        levels=[1],
        steps=400,
        folder=tmp_path,
        **SMALL | {"n_envs": 2, "rollout": 200, "batch": 100, "episodes": 4},
    )
    assert policy.measured[Fraction(1)].episodes == 4
    loaded = FlippingPolicy.load(policy.save(tmp_path / "kept"))
    assert loaded.predict(np.zeros(4, dtype=np.float32))[0].shape == (1,)


@pytest.mark.slow
def test_a_flip_of_trained_policies_keeps_its_level_and_comes_near_the_envelope(
    tmp_path: Path,
) -> None:
    """On the eight by eight discs, judged exactly; the envelope is that of all policies there are.

    A wrong sign of the cost, or a risk that is counted twice, misses one bound or the other.
    """
    level = Fraction(1, 2)
    policy = train_flipping(
        DISCS,
        level=level,
        levels=["1/10", "1/2"],
        steps=50 * 256 * 15,
        rollout=15,
        entropy=0.02,
        multiplier=10.0,
        episodes=20_000,
        margin="upper",
        folder=tmp_path,
    )
    value, risk = judge(policy, DISCS)
    assert risk <= level
    assert envelope(DISCS, level).value * Fraction(9, 10) <= value <= envelope(DISCS, risk).value
    bold = judge(FlippingPolicy(policy.second, policy.second, 0), DISCS)
    assert bold[1] > level  # the second alone is too risky
    safe = judge(FlippingPolicy(policy.first, policy.first, 0), DISCS)
    assert safe[0] < value  # the first alone is worth less
