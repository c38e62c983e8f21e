"""RLOO, whose baseline is the mean of the *other* responses: its fixed point is the Gibbs law."""

from __future__ import annotations

from ...parts.algorithms import Algorithm
from ...parts.runs import Workplace
from ..outcomes import load, require_task
from .grpo import fixed_points
from .options import GroupOptions


def train(workplace: Workplace) -> None:
    """Train TRL's RLOO, which has the KL divergence in the reward."""
    import numpy as np

    from ..bandits import tables
    from .trainers import Session, start, train_groups

    training, options = workplace.training, workplace.training.options
    rewards, safety = tables(training.seed, options.prompts, options.responses)
    bandit = start(workplace)
    _, wanted = fixed_points(options, np.exp(bandit.log_laws()), rewards)
    session = Session(bandit, options.group, lambda x, y: rewards[x[:, None], y], wanted)
    train_groups(workplace, session, rewards, safety, leave_one_out=True)


ALGORITHM = Algorithm("alignment/rloo", GroupOptions, train, load, require_task)
