"""Networks on ICU-Sepsis (Choudhary et al. 2024), from its clinicians' logs, judged in its model.

A network sees a patient's state as a one-hot vector (the table of its first layer) and gives logits
of the admissible actions.  The return is survival, the cost the SOFA score of each state, both
discounted and UN-normalised; after the end nothing is given.  Methods::

    clone      maximum likelihood of the logged actions
    wsac       adversarial critics as in `wsac`, whose expectations over actions are sums
    guarded    ascent of the return in the model of counted transitions, less penalties of costs
               above the logs' and of visits to pairs that were logged fewer than `seen` times
    unguarded  the same without the last

A pair that was never logged leads, in the counted model, anywhere that the logs lead to.  Networks
are given scores as shares of the largest; what is said of a policy is in scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.utils import polyak_update
from torch import Tensor, nn

from ...cmdp.scale.certification import Certification, certify
from ...errors import ModelError
from ...models.cmdp import CMDP
from ...offline.guarded import enclosed_value
from ...offline.sepsis import expert_policy, sepsis
from ...sequences import Array
from ..parts.algorithms import Algorithm
from ..parts.constrained import refuse_idle, require_positive
from ..parts.runs import Run, Workplace
from ..parts.training import Training, option
from ..parts.updates import run_updates, word
from .safe_sac import descend
from .wsac import regularised

TASK = "ICU-Sepsis"
_IDLE = {
    "clone": "beta penalty seen outside",
    "wsac": "seen outside",
    "guarded": "beta",
    "unguarded": "beta seen outside",
}
"""Method -> options that have no effect with it."""
_LONGEST = 200
"""Decisions after which a log is cut, which hardly any reaches."""
_SCORE = 24
"""The largest SOFA score."""


@dataclass(frozen=True)
class SepsisOptions:
    """Options of one training.  Raises ModelError for what is not known or out of range."""

    method: str = option("wsac", "wsac; controls: clone, unguarded; or guarded")
    patients: int = option(2000, "logged stays under the clinicians")
    warm_updates: int = option(10, "of the likelihood of logged actions, first")
    updates: int = option(40, "in all, those of the likelihood too")
    steps: int = option(50, "gradient steps an update of wsac and clone; in the model 10")
    beta: float = option(20.0, "wsac: weight of the Bellman errors")
    penalty: float = option(0.5, "lambda, the weight of costs above the logs'; 0 for none")
    seen: int = option(10, "guarded: pairs logged less often count as outside")
    outside: float = option(0.5, "guarded: weight of visits outside")
    width: int = option(32, "units of each of two hidden layers")
    rate: float = option(1e-3, "of Adam")
    checkpoint_every: int = option(0, "updates between checkpoints; 0 for none")

    def __post_init__(self) -> None:
        require_positive(self, "patients warm_updates updates steps seen width rate")
        if self.method not in _IDLE:
            raise ModelError(f"method = {self.method!r}; give one of {', '.join(_IDLE)}")
        refuse_idle(self, _IDLE[self.method], f"method = {self.method!r}")
        if min(self.beta, self.penalty, self.outside, self.checkpoint_every) < 0:
            raise ModelError("beta, penalty, outside and checkpoint_every must not be negative")
        if self.warm_updates > self.updates:
            raise ModelError(
                f"warm_updates = {self.warm_updates} of updates = {self.updates}; give no more"
            )


def check(training: Training) -> None:
    """Raises ModelError for another task, or a device other than the CPU."""
    if (training.task, training.device) != (TASK, "cpu"):
        raise ModelError(
            f"task {training.task!r} on {training.device!r}; the task is {TASK!r}, on the cpu"
        )


@dataclass(frozen=True, eq=False)
class Ward:
    """The model, whose budget is what the clinicians cost, in tables of floats.

    There are S states of which the last three are ends, and A actions, of which each state has
    some.  transitions: float64[S, A, S]; rewards, costs (shares of the largest score),
    clinicians: float64[S, A]; admissible: bool[S, A]; initial: float64[S].  What is not admissible
    has rows of 0.
    """

    model: CMDP
    transitions: Array
    rewards: Array
    costs: Array
    admissible: Array
    clinicians: Array
    initial: Array


@cache
def ward() -> Ward:
    """The package's tables.  Raises ModelError where it is not installed."""
    model = sepsis(Fraction(0))
    clinicians = expert_policy(model)
    scores = model.cost_vector(0)
    model = model.with_budgets(enclosed_value(model, clinicians, scores)[1])
    at = model.choice_states, model.actions
    of_choices = model.float_transitions().toarray(), model.reward_vector().floats()
    law = clinicians.table()

    def spread(values: Array) -> Array:
        found = np.zeros((*law.shape, *values.shape[1:]), values.dtype)
        found[at] = values
        return found

    transitions, rewards, costs, admissible = map(
        spread, (*of_choices, scores.floats() / _SCORE, np.ones(model.n_choices, dtype=bool))
    )
    initial = model.initial_vector().floats()
    return Ward(model, transitions, rewards, costs, admissible, law, initial)


@dataclass(frozen=True, eq=False)
class Logs:
    """int64[n] states, actions and following states of all logged decisions."""

    states: Array
    actions: Array
    following: Array

    def counts(self, shape: tuple[int, int]) -> Array:
        """int64[S, A], how often each pair was logged."""
        found = np.zeros(shape, dtype=int)
        np.add.at(found, (self.states, self.actions), 1)
        return found


def logs(patients: int, seed: int) -> Logs:
    """Stays under the clinicians' policy, each to its end."""
    of, stream = ward(), np.random.default_rng(seed)
    states, rows = _draw(np.tile(of.initial, (patients, 1)), stream), []
    for _ in range(_LONGEST):
        states = states[states < len(of.initial) - 3]
        actions = _draw(of.clinicians[states], stream)
        following = _draw(of.transitions[states, actions], stream)
        rows.append((states, actions, following))
        states = following
    return Logs(*map(np.concatenate, zip(*rows, strict=True)))


def _draw(laws: Array, stream: np.random.Generator) -> Array:
    """int64[n], one draw of each row of float64[n, k]."""
    totals = np.cumsum(laws, axis=1)
    found: Array = (stream.random((len(laws), 1)) * totals[:, -1:] > totals).sum(axis=1)
    return found


class Table(nn.Module):
    """A network of one-hot states: float[S, A]."""

    def __init__(self, shape: tuple[int, int], width: int) -> None:
        super().__init__()
        self.rows = nn.Embedding(shape[0], width)
        self.rest = nn.Sequential(
            nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, shape[1])
        )

    def forward(self) -> Tensor:
        """All values at once."""
        found: Tensor = self.rest(self.rows.weight)
        return found


def values(
    policy: Tensor, discount: float, moves: Tensor, payoffs: Tensor, initial: Tensor
) -> Tensor:
    """float64[m], expected discounted sums of float64[m, S, A] payoffs under float64[S, A]."""
    chain = torch.einsum("sa,sat->st", policy, moves)
    visits = torch.linalg.solve(torch.eye(len(chain)).double() - discount * chain.T, initial)
    return torch.einsum("s,sa,msa->m", visits, policy, payoffs)


class Nurse:
    """The state of one training."""

    def __init__(self, training: Training) -> None:
        self.training, of = training, ward()
        self.options: SepsisOptions = training.options
        o = self.options
        self.logs = logs(o.patients, word(training.seed, 0))
        self.counts = self.logs.counts(of.rewards.shape)
        self.actor, self.critic, self.target, self.costs, self.cost_target = (
            Table(of.rewards.shape, o.width) for _ in range(5)
        )
        self.target.load_state_dict(self.critic.state_dict())
        self.cost_target.load_state_dict(self.costs.state_dict())
        self.mask = torch.as_tensor(np.where(of.admissible, 0.0, -np.inf)).float()
        self.climber = torch.optim.Adam(self.actor.parameters(), lr=o.rate)
        self.fitters = [torch.optim.Adam(one.parameters(), lr=o.rate)
                        for one in (self.critic, self.costs)]  # fmt: skip
        columns = self.logs.states, self.logs.actions, self.logs.following
        self.seen = [torch.as_tensor(column) for column in columns]
        self.payoffs = [torch.as_tensor(one).float() for one in (of.rewards, of.costs)]
        self.discount = float(of.model.discount)
        if o.method.endswith("guarded"):
            self._count()

    def _count(self) -> None:
        """The model of counted transitions, with what the logs cost in it."""
        of, kept, (size, _) = ward(), self.logs, self.counts.shape
        moves = np.zeros_like(of.transitions)
        np.add.at(moves, (kept.states, kept.actions, kept.following), 1.0)
        anywhere = np.bincount(kept.following, minlength=size).astype(float)
        moves[self.counts == 0] = anywhere
        moves[-3:] = np.eye(size)[-3:, None]
        moves /= moves.sum(axis=2, keepdims=True)
        outside = (self.counts < self.options.seen) & (np.arange(size) < size - 3)[:, None]
        rewards = np.where(self.counts > 0, of.rewards, anywhere[-2] / anywhere.sum())
        rewards[-3:] = 0  # what an end earns was earned on arrival
        payoffs = np.stack([rewards, of.costs, outside])
        self.model = [torch.as_tensor(one).double() for one in (moves, payoffs, of.initial)]
        logged = self.counts + 1e-9 * of.admissible
        law = torch.as_tensor(logged / logged.sum(axis=1, keepdims=True))
        self.logged_cost = float(values(law, self.discount, *self.model)[1])

    def policy(self) -> Tensor:
        """float32[S, A]."""
        return torch.softmax(self.actor() + self.mask, dim=1)

    def update(self, number: int) -> dict[str, float]:
        """Gradient steps; their mean line."""
        o = self.options
        in_model = o.method.endswith("guarded")
        if number <= o.warm_updates or o.method == "clone":
            step, steps = self._clone, o.steps
        else:
            step, steps = (self._climb, 10) if in_model else (self._improve, o.steps)
        lines = [step() for _ in range(steps)]
        return {name: float(np.mean([line[name] for line in lines])) for name in lines[0]}

    def _clone(self) -> dict[str, float]:
        states, actions, _ = self.seen
        loss = -torch.log_softmax(self.actor() + self.mask, dim=1)[states, actions].mean()
        descend(self.climber, loss)
        return {"loss": loss.item()}

    def _improve(self) -> dict[str, float]:
        """As `wsac.Wsac._improve`, on all logged decisions."""
        o, (states, actions, following) = self.options, self.seen
        policy = self.policy()
        fixed, terms = policy.detach(), []
        signs = 1.0, -o.penalty
        tables = (self.critic, self.target), (self.costs, self.cost_target)
        for (critic, target), paid, fitter, sign in zip(
            tables, self.payoffs, self.fitters, signs, strict=True
        ):
            found = critic()
            at_own = (fixed * found).sum(dim=1)
            with torch.no_grad():
                after = (fixed * target()).sum(dim=1)[following]
            left = self.discount * (following < len(fixed) - 3)
            wanted = paid[states, actions] + left * after
            errors = regularised(found[states, actions] - wanted, "squared")
            gap = (at_own[states] - found[states, actions]).mean()
            descend(fitter, (sign * gap + o.beta * errors) / (1 + o.beta))
            polyak_update(critic.parameters(), target.parameters(), 0.02)
            value = found.detach()
            terms.append(((policy * value).sum(dim=1)[states] - value[states, actions]).mean())
        better, dearer = terms
        descend(self.climber, -better + o.penalty * dearer.clamp(min=0))
        return {"better": better.item(), "dearer": dearer.item()}

    def _climb(self) -> dict[str, float]:
        """Exact ascent in the counted model."""
        o = self.options
        returned, cost, outside = values(self.policy().double(), self.discount, *self.model)
        worth = returned - o.penalty * (cost - self.logged_cost).clamp(min=0)
        if o.method == "guarded":
            worth = worth - o.outside * outside
        descend(self.climber, -worth)
        return {"return": returned.item(), "cost": cost.item(), "outside": outside.item()}

    def _modules(self) -> dict[str, nn.Module]:
        return {"actor": self.actor, "critic": self.critic, "target": self.target,
                "costs": self.costs, "cost_target": self.cost_target}  # fmt: skip

    def tensors(self) -> dict[str, Tensor]:
        """All that a further update depends on."""
        from ..parts.checkpoints import named, optimizer_tensors

        found: dict[str, Tensor] = {}
        for name, module in self._modules().items():
            found |= named(name, module.state_dict())
        for at, optimizer in enumerate((self.climber, *self.fitters)):
            found |= named(f"of {at}", optimizer_tensors(optimizer))
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on after the update in which `tensors` were taken."""
        from ..parts.checkpoints import part, set_optimizer_tensors

        for name, module in self._modules().items():
            module.load_state_dict(part(name, tensors))
        for at, optimizer in enumerate((self.climber, *self.fitters)):
            set_optimizer_tensors(optimizer, part(f"of {at}", tensors))

    def outcome(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The policy's table, and how much of the admissible pairs was logged."""
        with torch.no_grad():
            policy = self.policy()
        covered = float((self.counts > 0).sum() / ward().admissible.sum())
        return {"policy": policy}, {"covered": covered}


@dataclass(frozen=True, eq=False)
class SepsisPolicy:
    """float64[S, A] of a finished run; lines of metrics; share of admissible pairs logged."""

    policy: Array
    lines: list[dict[str, Any]]
    covered: float

    def certified(self) -> Certification:
        """What is proved of its survival and of its score in the true model."""
        return certified(self.policy)


def certified(policy: Array) -> Certification:
    """Rigorous bounds on the survival and the score of float64[S, A] in the package's model, and
    whether the score is above the clinicians'."""
    return certify(ward().model, policy)


def train(workplace: Workplace) -> None:
    """Train, from the last checkpoint if there is one.  Raises TrainingError at what is not
    finite."""
    run_updates(workplace, Nurse)


def load(run: Run) -> SepsisPolicy:
    """What the run kept.  Raises ModelError as `Run.outcome`."""
    kept = run.outcome()
    policy = kept.tensors["policy"].double().numpy()
    policy /= policy.sum(axis=1, keepdims=True)
    return SepsisPolicy(policy, run.metrics(), kept.numbers["covered"])


ALGORITHM = Algorithm("offline/sepsis", SepsisOptions, train, load, check)
