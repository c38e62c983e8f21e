"""Options that all algorithms share which train a policy within a limit on its cost."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from gymnasium import spaces

from ...errors import ModelError
from .limit import CostLimit, cost_limit
from .tasks import make
from .training import Training, option


@dataclass(frozen=True)
class ConstrainedTraining:
    """Options of a policy trained in `n_envs` copies of a task with a limit on its cost.

    The defaults suit holdfast/TwoDiscs-v0: whole episodes of 30 steps in 256 copies an update.

    Raises ModelError for a value that cannot be meant, or that has no effect beside the others.
    """

    steps: int = option(1_500_000, "environment steps of all copies, up to whole updates")
    n_envs: int = option(256, "copies of the task")
    exploring: int = option(
        0, "of the copies, how many begin in a drawn state at a drawn time, not measured"
    )
    rollout: int = option(30, "steps of each copy an update; it starts with fresh episodes")
    limit: float = option(0.1, "what the expected cost of an episode may be at most")
    discounted: bool = option(False, "the limit is on the cost discounted by cost_discount")
    first_violation: bool = option(True, "an episode costs 1 if it has an unsafe step, else 0")
    width: int = option(64, "units of each hidden layer of policy and critics")
    depth: int = option(2, "hidden layers of policy and critics")
    learning_rate: float = option(1e-3, "step of Adam for policy and critic")
    cost_learning_rate: float = option(1e-3, "step of Adam for the critic of costs")
    last_rate: float = option(1.0, "share of these steps at the end, to which they fall evenly")
    discount: float = option(1.0, "discount of rewards in the critic")
    gae: float = option(0.95, "lambda of the advantages of rewards")
    cost_discount: float = option(1.0, "discount of costs in their critic")
    cost_gae: float = option(0.95, "lambda of the advantages of costs")
    cost_epochs: int = option(4, "passes over a rollout that train the critic of costs")
    cost_batch: int = option(1024, "observations a step of the critic of costs")
    checkpoint_every: int = option(10, "updates between checkpoints")

    def __post_init__(self) -> None:
        require_positive(
            self, "steps n_envs rollout width depth cost_epochs cost_batch checkpoint_every"
        )
        require_positive(self, "learning_rate cost_learning_rate last_rate")
        require_share(self, "discount gae cost_discount cost_gae last_rate")
        if not 0 <= self.exploring < self.n_envs:
            raise ModelError(
                f"exploring = {self.exploring} of n_envs = {self.n_envs} copies; at least one copy "
                "must begin at the start, where return and cost are measured"
            )
        if self.limit < 0:
            raise ModelError(f"limit = {self.limit}; a limit on costs is at least 0")
        if self.limits_a_risk and self.limit > 1:
            raise ModelError(
                f"limit = {self.limit} is above 1, and with first_violation the cost of an episode "
                "is at most 1; give a risk such as 0.2, 1 for no limit, or first_violation = false"
            )
        if self.discounted and self.cost_discount == 1:
            raise ModelError(
                "discounted = true has no effect with cost_discount = 1.0; give a discount below 1"
            )

    @property
    def limits_a_risk(self) -> bool:
        """Whether the limit is on a cost of at most 1 an episode."""
        return self.first_violation

    @property
    def per_update(self) -> int:
        """Environment steps of an update, all copies together."""
        return self.n_envs * self.rollout

    @property
    def updates(self) -> int:
        """How many updates `steps` are, rounded up."""
        return -(-self.steps // self.per_update)


def limit_of(options: ConstrainedTraining) -> CostLimit:
    """What is limited, as an exact record; decimals mean what they say."""
    limit, discount = (Fraction(repr(x)) for x in (options.limit, options.cost_discount))
    return cost_limit(limit, discounted=options.discounted, discount=discount)


def check_constrained(training: Training) -> None:
    """Make the task once, and compare the limit with what the exact layer proves.

    Raises ModelError if the task is unknown, has no cost, or actions that no policy here has, or if
    no policy of it keeps the limit.
    """
    options: ConstrainedTraining = training.options
    env = make(
        training.task,
        seed=0,
        n_envs=1,
        first_violation=options.first_violation,
        exploring=min(options.exploring, 1),
    )
    env.close()
    _require_actions(training.task, env.action_space)
    limit_of(options).check(training.task, first_violation=options.first_violation)


def _require_actions(task: str, actions: spaces.Space[Any]) -> None:
    if not isinstance(actions, (spaces.Discrete, spaces.Box)):
        raise ModelError(
            f"{task} has the actions {actions}; policies are trained for Discrete and Box only, so "
            "wrap the environment: number the combinations of several choices as one Discrete"
        )
    if isinstance(actions, spaces.Discrete) and actions.start != 0:
        raise ModelError(
            f"{task} has the actions {actions}, and policies number theirs from 0; wrap the "
            "environment so that its actions start there"
        )


def require_positive(options: Any, names: str) -> None:
    """Raise ModelError unless all these options are positive."""
    for name in names.split():
        if not getattr(options, name) > 0:
            usual = next(known.default for known in fields(options) if known.name == name)
            raise ModelError(
                f"{name} = {getattr(options, name)} must be positive; give such as {usual}"
            )


def require_share(options: Any, names: str) -> None:
    """Raise ModelError unless all these options lie from 0 to 1."""
    for name in names.split():
        if not 0 <= getattr(options, name) <= 1:
            raise ModelError(f"{name} = {getattr(options, name)} must lie from 0 to 1")


def require_batches(options: ConstrainedTraining, batch: int, name: str) -> None:
    """Raise ModelError unless a rollout is whole batches: a short last one would weigh more."""
    if options.per_update % batch:
        raise ModelError(
            f"{name} = {batch} does not divide n_envs * rollout = {options.per_update}; take a "
            "divisor of it"
        )


def refuse_idle(options: Any, idle: str, because: str) -> None:
    """Raise ModelError if an option differs from its default though it has no effect."""
    for known in fields(options):
        value = getattr(options, known.name)
        if known.name in idle.split() and value != known.default:
            raise ModelError(f"{known.name} = {value} has no effect with {because}; leave it out")
