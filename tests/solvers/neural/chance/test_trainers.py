"""PPO-Lagrangian and CPO against exact optima, beside versions that are wrong."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from stable_baselines3.common.policies import ActorCriticPolicy

from holdfast.solvers.chance import ChanceProblem, evaluate_policy
from holdfast.solvers.models.arrays import assemble
from holdfast.solvers.neural.chance import trainers
from holdfast.solvers.neural.chance.cpo import CpoOptions
from holdfast.solvers.neural.chance.ppo_lagrangian import PpoLagrangianOptions
from holdfast.solvers.neural.chance.trainers import CPO, PPOLagrangian
from holdfast.solvers.neural.parts.judging import envelope, stochastic, table
from holdfast.solvers.neural.parts.on_policy import WithCosts, one_thread
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.tasks import make, problem_of
from holdfast.solvers.neural.parts.training import Training

LIMIT = Fraction(19, 100)
VALUE = 0.97
"""Share of the optimum to be reached: 2 of 21/10, which is 0.952, is the most without the flag."""
NOISE = 3 * (0.19 * 0.81 / 512) ** 0.5
"""Three standard errors of the risk that an update of 512 episodes measures: what it is held to."""

SMALL: dict[str, Any] = {
    "n_envs": 256, "rollout": 4, "limit": float(LIMIT), "batch": 256, "width": 16, "depth": 1,
    "learning_rate": 3e-3, "cost_learning_rate": 1e-2, "steps": 30 * 1024,
}  # fmt: skip


def two_risks() -> ChanceProblem:
    """Two decisions among 0, 1 and 2, which earn as much and are unsafe w.p. 0, 1/10 and 1/2.

    Where risk has a price from 39/10 to 10, the best is 1, 1, and 2 once the episode is unsafe
    anyway: its risk is 1 - (9/10)^2 = 19/100, and it earns 1 + 9/10 + 2/10 = 21/10, or 2 if it
    cannot see whether the episode is.
    """
    chances = [{0: 10}, {0: 9, 1: 1}, {0: 5, 1: 5}]
    model = assemble(
        counts=[3, 3],
        rows=chances * 2,
        reward=[Fraction(earned) for earned in (0, 1, 2)] * 2,
        discount=1,
        initial=[1, 0],
    )
    return ChanceProblem(model, (1,), 2)


def trained(algorithm: str, **given: Any) -> tuple[float, float]:
    """(value, risk) of the policy after 30 updates, judged by the exact model."""
    env = make(two_risks(), seed=0, n_envs=256, first_violation=True)
    model: WithCosts
    if algorithm == "cpo":
        options: Any = CpoOptions(**SMALL, target_kl=0.05)
        model = CPO(
            ActorCriticPolicy, env, options, 0, batch_size=256, target_kl=0.05, device="cpu"
        )
    else:
        options = PpoLagrangianOptions(**{**SMALL, "epochs": 4, **given})
        model = PPOLagrangian(
            ActorCriticPolicy, env, options, 0, batch_size=256, n_epochs=4, device="cpu"
        )
    with one_thread():
        model.learn(options.steps, callback=model.seen, reset_num_timesteps=False)
    return stochastic(model.policy, two_risks())


def accepted(value: float, risk: float) -> bool:
    """Whether a policy is near the optimum and within the limit."""
    return value >= VALUE * 2.1 and risk <= LIMIT + NOISE


def test_the_optimum_is_as_derived() -> None:
    assert envelope(two_risks(), LIMIT).value == Fraction(21, 10)


PID = {"controller": "pid", "proportional": 20.0, "integral": 5.0}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "given"),
    [("cpo", {}), ("ppo-lagrangian", {}), ("ppo-lagrangian", PID)],
    ids=["cpo", "ascent", "pid"],
)
def test_the_optimum_is_found(algorithm: str, given: dict[str, Any]) -> None:
    value, risk = trained(algorithm, **given)
    assert accepted(value, risk), (value, risk)


@pytest.mark.slow
def test_the_discs_are_crossed_near_the_optimum(tmp_path: Path) -> None:
    """On 8x8 cells the greedy policy keeps its risk exactly, and earns 19/20 of the envelope.

    The shortest way through both discs, which a multiplier of 0 learns, has a risk above 3/4.
    """
    task, limit = "holdfast/TwoDiscs8-v0", Fraction(15, 100)
    shared: dict[str, Any] = {
        "steps": 250_000, "rollout": 15, "batch": 1920, "epochs": 8, "learning_rate": 3e-3,
        "limit": float(limit),
    }  # fmt: skip
    gains = {"controller": "pid", "proportional": 100.0, "integral": 10.0}
    problem = problem_of(task)
    assert problem is not None
    found = {}
    for name, given in {"pid": gains, "none": {"controller": "fixed", "steps": 120_000}}.items():
        options = PpoLagrangianOptions(**{**shared, **given})
        run = obtain(Training("chance/ppo-lagrangian", task, 0, options), folder=tmp_path)
        found[name] = evaluate_policy(problem, table(run.result(), task))
    value, risk = found["pid"]
    assert risk <= limit
    assert value >= Fraction(19, 20) * envelope(task, limit).value
    assert value <= envelope(task, risk).value, "nothing is above the envelope"
    assert found["none"][1] > Fraction(3, 4)


def _negated(weigh: Callable[..., None]) -> Callable[..., None]:
    def weighed(self: Any, rollout: Any) -> None:
        weigh(self, rollout)
        self.cost_buffer.advantages *= -1

    return weighed


@pytest.mark.slow
def test_a_multiplier_of_zero_and_a_wrong_sign_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each control ends far above the limit: 2, 2 has the risk 3/4."""
    assert trained("ppo-lagrangian", controller="fixed")[1] > 0.6
    monkeypatch.setattr(WithCosts, "_weigh_costs", _negated(WithCosts._weigh_costs))
    for algorithm in ("cpo", "ppo-lagrangian"):
        value, risk = trained(algorithm)
        assert not accepted(value, risk)
        assert risk > 0.6


def test_the_step_that_is_made_is_that_of_the_linearised_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """TRPO's direction on mixed advantages is ``reward H^-1 g + cost H^-1 b`` of the closed form.

    The limit binds, so that both count; the other sign of the cost is another direction.
    """
    solved: list[Any] = []

    def recording(function: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*given: Any, **named: Any) -> Any:
            solved.append(function(*given, **named))
            return solved[-1]

        return recorded

    for name in ("conjugate_gradient_solver", "linearised_step"):
        monkeypatch.setattr(trainers, name, recording(getattr(trainers, name)))
    env = make(two_risks(), seed=0, n_envs=256, first_violation=True)
    exact = {"cg_damping": 0.01, "cg_max_steps": 80, "target_kl": 1e-3}
    options = CpoOptions(**{**SMALL, "limit": 0.35, "subsampling": 1})
    cpo = CPO(ActorCriticPolicy, env, options, 0, batch_size=256, device="cpu", **exact)
    moved: list[torch.Tensor] = []
    shorten = cpo._shorten

    def looking(actor: Any, before: Any, *rest: Any) -> float:
        moved.extend((new - old).flatten() for new, old in zip(actor, before, strict=True))
        return shorten(actor, before, *rest)

    monkeypatch.setattr(cpo, "_shorten", looking)
    with one_thread():
        cpo.learn(1024, callback=cpo.seen, reset_num_timesteps=False)
    along_g, along_b, step = solved
    assert step.case == "bound" and step.reward > 0 > step.cost
    made = torch.cat(moved).detach()
    right, wrong = (step.reward * along_g + sign * step.cost * along_b for sign in (1, -1))
    alike = torch.nn.functional.cosine_similarity
    assert float(alike(made, right, dim=0)) > 0.999
    assert float(alike(made, wrong, dim=0)) < 0.9
