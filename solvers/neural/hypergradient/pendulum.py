"""BC-HG with a follower that learns by SAC (stable-baselines3), on a pendulum with designed rewards.

The leader wants the pendulum to lean to one side, and pays the follower for where it is by a
network, at a price that is quadratic in what is paid.  The follower's reward is what it is paid
less its effort.  Neither stable-baselines3 nor sb3-contrib has SAC for discrete actions; finite
problems have soft Q-iteration instead (`ascent`).
"""

from __future__ import annotations

from dataclasses import dataclass


from ...errors import ModelError
from ..parts.algorithms import Algorithm
from ..parts.constrained import require_positive
from ..parts.runs import Workplace
from ..parts.training import Training, option
from .ascent import climb, load

TASK = "Pendulum-v1"
METHODS = ("bc-hg", "naive", "flipped", "untrained")


@dataclass(frozen=True)
class PendulumOptions:
    """Options of one training.  Raises ModelError for what is not known or out of range."""

    method: str = option("bc-hg", "bc-hg, naive (direct term); controls: flipped, untrained")
    updates: int = option(60, "of the leader")
    warm: int = option(1000, "steps of the follower before the first update")
    steps: int = option(100, "of the follower between updates, each with a step of its networks")
    episodes: int = option(32, "of 100 steps that an estimate is made of")
    learning_rate: float = option(0.01, "of the leader's Adam")
    temperature: float = option(0.1, "entropy coefficient of SAC, fixed")
    price: float = option(0.02, "that the leader pays for the square of a payment")
    effort: float = option(0.1, "that the follower pays for the square of its torque")
    discount: float = option(0.95, "of both")
    width: int = option(32, "units of the leader's two hidden layers")
    critic_width: int = option(64, "units of those of its critic, and of SAC's networks")
    checkpoint_every: int = option(10, "updates between checkpoints; 0 for none")

    def __post_init__(self) -> None:
        require_positive(
            self, "updates warm steps episodes learning_rate temperature width critic_width"
        )
        if self.method not in METHODS or self.checkpoint_every < 0:
            raise ModelError(
                f"method = {self.method!r} must be one of {', '.join(METHODS)}, and "
                f"checkpoint_every = {self.checkpoint_every} not negative"
            )
        if min(self.price, self.effort) < 0 or not 0 < self.discount < 1:
            raise ModelError(
                f"price = {self.price} and effort = {self.effort} must not be negative, and "
                f"discount = {self.discount} must lie between 0 and 1"
            )


def check(training: Training) -> None:
    """Raises ModelError for another task than Pendulum-v1, or a device other than the CPU."""
    if (training.task, training.device) != (TASK, "cpu"):
        raise ModelError(
            f"task {training.task!r} on {training.device!r}; the task is {TASK!r}, on the cpu"
        )


def train(workplace: Workplace) -> None:
    """Train, from the last checkpoint if there is one.  Raises TrainingError at what is not
    finite."""
    from .soft_actor import Paid

    climb(workplace, lambda: Paid(workplace.training))


ALGORITHM = Algorithm("hypergradient/pendulum", PendulumOptions, train, load, check)
