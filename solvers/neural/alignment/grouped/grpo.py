"""GRPO, whose group mean takes a share 1/G of the gradient: its fixed point is not what one thinks.

With rewards less the mean of their group, not standardised, and the KL divergence in the loss, the
fixed point is the reference tilted by (1 - 1/G) r / beta, not by r / beta.
"""

from __future__ import annotations

from ....alignment.tilts import tilt
from ....sequences import Array
from ...parts.algorithms import Algorithm
from ...parts.runs import Workplace
from ..outcomes import load, require_task
from .options import GroupOptions


def fixed_points(options: GroupOptions, reference: Array, rewards: Array) -> tuple[Array, Array]:
    """Of the update with the group's mean, and of one whose baseline is independent; [X, Y]."""
    beta = options.temperature
    return tilt(reference, (1 - 1 / options.group) * rewards, beta), tilt(reference, rewards, beta)


def train(workplace: Workplace) -> None:
    """Train TRL's GRPO."""
    import numpy as np

    from ..bandits import tables
    from .trainers import Session, start, train_groups

    training, options = workplace.training, workplace.training.options
    rewards, safety = tables(training.seed, options.prompts, options.responses)
    bandit = start(workplace)
    wanted, _ = fixed_points(options, np.exp(bandit.log_laws()), rewards)
    session = Session(bandit, options.group, lambda x, y: rewards[x[:, None], y], wanted)
    train_groups(workplace, session, rewards, safety)


ALGORITHM = Algorithm("alignment/grpo", GroupOptions, train, load, require_task)
