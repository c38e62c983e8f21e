"""``certify``, and the files that ``solve`` writes, as a person meets them."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers import WORLDS, ModelError, Policy, certify, read_policy, solve, write_policy
from holdfast.verify.cmdp.commands.certifying import _kept

from ...conftest import Invoke

LAKE = "frozen-lake-4x4"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The optimum of the lake, its values, and the uniform policy."""
    folder = tmp_path_factory.mktemp("answers")
    lake = WORLDS[LAKE].build()
    best = solve(lake)
    assert best.policy is not None
    write_policy(best.policy, folder / "best.json")
    write_policy(Policy.uniform(lake), folder / "uniform.npy")
    np.save(folder / "values.npy", best.values.floats())
    return folder


def test_the_optimum_is_certified(holdfast: Invoke, answers: Path) -> None:
    """15611/68000 with the limit 1/20 attained."""
    done = holdfast("certify", LAKE, "--policy", answers / "best.json", "--json", "found.json")
    assert done.code == 0
    assert done.says("reward 15611/68000", "cost 1/20 = 0.05, limit 1/20: kept")
    found = json.loads(Path("found.json").read_text())
    assert found["reward"] == ["15611/68000"] * 2
    assert found["within_budgets"] is True


def test_sweeps_on_a_device_prove_what_sweeps_here_do(holdfast: Invoke, answers: Path) -> None:
    values = ("certify", LAKE, "--values", answers / "values.npy", "--multiplier", "1/2")
    here, there = (holdfast(*values, *more) for more in ((), ("--device", "cpu")))
    assert here.code == there.code == 0
    assert here.output.splitlines()[-1] == there.output.splitlines()[-1]
    policy = ("certify", LAKE, "--policy", answers / "best.json", "--device", "cpu")
    assert holdfast(*policy).code == 64


def test_a_policy_that_breaks_the_limit(holdfast: Invoke, answers: Path) -> None:
    done = holdfast("certify", LAKE, "--policy", answers / "uniform.npy")
    assert done.says("limit 1/20: broken by 0.", "the policy breaks a limit, and may earn more")


def test_by_how_much_a_limit_is_broken() -> None:
    """Doubles near 1/20 are shown as 0.05."""
    limit, more = Fraction(1, 20), Fraction(1, 10**18)
    assert "broken" in _kept((limit + more,) * 2, limit)
    assert _kept((limit + more,) * 2, limit).endswith(" by 1e-18")
    assert _kept((limit + more, limit + 1), limit).endswith(" by at least 1e-18")
    assert "kept" in _kept((limit - 1, limit), limit)
    assert "not decided" in _kept((limit, limit + more), limit)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--multiplier", "1e400"), "multiplier 0 leaves the range of double precision"),
        (("--multiplier", "1"), "a residual of these values and multipliers leaves the range"),
    ],
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_what_doubles_do_not_hold_is_refused(
    holdfast: Invoke, arguments: tuple[str, ...], said: str
) -> None:
    values = np.zeros(WORLDS[LAKE].build().n_states)
    values[:2] = 1e308, -1e308
    np.save("values.npy", values)
    done = holdfast("certify", LAKE, "--values", "values.npy", *arguments)
    assert done.code == 64
    assert done.says(said, "in another unit")


def test_a_limit_that_doubles_do_not_hold_is_refused() -> None:
    lake = WORLDS[LAKE].build()
    far = lake.with_costs([lake.cost_vector(0).fractions()], [10**400])
    with pytest.raises(ModelError, match="the limit of cost 0 leaves the range"):
        certify(far, Policy.uniform(far))


def test_values_prove_a_bound(holdfast: Invoke, answers: Path) -> None:
    """0.229573529411764...: the bound is not below it, and no farther than rounding."""
    values = ("--values", answers / "values.npy")
    done = holdfast("certify", LAKE, *values, "--multiplier", "15611/3400")
    assert done.says("optimum at most 0.22957352941")
    shown = float(done.flat.split("optimum at most ")[1].split()[0])
    assert 15611 / 68000 <= shown < 15611 / 68000 + 1e-11


def test_the_optimum_is_solved_for(holdfast: Invoke, answers: Path) -> None:
    done = holdfast("certify", LAKE, "--policy", answers / "best.json", "--optimum")
    assert done.says("optimum at most 15611/68000 (by exact", "left at most 0 to")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --policy FILE or --values FILE"),
        (("--policy", "best.json", "--values", "values.npy"), "one of the two"),
        (("--values", "values.npy"), "the multipliers that they were computed for"),
        (("--values", "values.npy", "--multiplier", "x"), "write a rational number"),
        (("--values", "values.npy", "--multiplier", "-1"), "a finite multiplier of at least 0"),
        (("--values", "values.npy", "--multiplier", "1", "--exact"), "--exact evaluates a policy"),
        (("--values", "values.npy", "--optimum"), "--values has no effect beside --optimum"),
        (("--values", "best.json", "--multiplier", "1"), "values are read from .npy"),
        (("--policy", "best.json", "--sweeps", "3", "--optimum"), "--sweeps has no effect beside"),
        (("--policy", "gone.json"), "gone.json"),
        (("--policy", "best.json", "--json", "best.json"), "is the same file as the answer"),
    ],
)
def test_what_cannot_be_meant(
    holdfast: Invoke, answers: Path, arguments: tuple[str, ...], said: str
) -> None:
    placed = [
        str(answers / word) if word.endswith((".json", ".npy")) else word for word in arguments
    ]
    done = holdfast("certify", LAKE, *placed)
    assert done.code == 64
    assert done.says(said)


def test_solve_writes_its_policy(holdfast: Invoke) -> None:
    done = holdfast("solve", LAKE, "--policy", "best.csv", "--json", "answer.json")
    assert done.code == 0
    lake = WORLDS[LAKE].build()
    written, notes = read_policy(lake, "best.csv")
    assert written == solve(lake).policy and not notes
    answer = json.loads(Path("answer.json").read_text())
    assert answer["value"] == "15611/68000"
    assert answer["multipliers"] == ["15611/3400"]
    Path("policy.json").write_text(json.dumps(answer["policy"]))
    assert read_policy(lake, "policy.json")[0] == written


def test_an_infeasible_model_has_no_policy_to_write(holdfast: Invoke) -> None:
    """The limit -1 is below every cost: that is an answer, and no wrong use of --policy."""
    done = holdfast("solve", LAKE, "--limit", "-1", "--policy", "none.npy")
    assert done.code == 0
    assert done.says("no policy keeps within the limits: none.npy is not written")
    assert not Path("none.npy").exists()


def test_the_value_stands_below_the_policy(holdfast: Invoke) -> None:
    """Where a long table scrolls, what it is worth stays in view."""
    text = holdfast("solve", LAKE, "--all").flat
    assert text.index("action: probability") < text.index("value 15611/68000")


def test_a_mixture_is_no_table(holdfast: Invoke) -> None:
    asked = ("--method", "enclosure", "--policy", "p.npy", "--json", "a.json")
    done = holdfast("solve", LAKE, *asked)
    assert done.code == 64
    assert done.says("a mixture of 2 deterministic policies", "--json has them all")
    assert done.certificate.exists(), "what was solved for is kept"
    assert done.says("accepted by the kernel")
    mixture = json.loads(Path("a.json").read_text())["mixture"]
    assert len(mixture) == 2
    assert all(len(one["actions"]) == 17 for one in mixture)


OWN = """
import gymnasium

class Own(gymnasium.Env):
    observation_space = gymnasium.spaces.Discrete(2)
    action_space = gymnasium.spaces.Discrete(2)
    P = {0: {0: [(0.5, 0, 1.0, False), (0.5, 1, 1.0, False)], 1: [(1.0, 0, 0.25, False)]},
         1: {0: [(1.0, 1, 0.5, False)], 1: [(1.0, 1, 0.0, False)]}}
    initial_state_distrib = [1.0, 0.0]

gymnasium.register("Own-v0", entry_point=Own, disable_env_checker=True)
"""


def test_an_environment_of_one_s_own_module(holdfast: Invoke) -> None:
    """V(1) = 1/2/(1 - 9/10) = 5 and V(0) = 1 + 9/20 (V(0) + 5), so 65/11: the better action."""
    Path("own_module_of_a_test.py").write_text(OWN)
    done = holdfast("solve", "gym:own_module_of_a_test:Own-v0", "--discount", "9/10")
    assert done.says("value 65/11")
    gone = holdfast("solve", "gym:no_such_module:Own-v0")
    assert gone.code == 64
    assert gone.says("'no_such_module' that should register 'Own-v0' cannot be imported")
