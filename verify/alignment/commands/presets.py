"""Names that libraries give to what an audit reads, and the rules that they update by.

Read in their code: OmniSafe's Lagrange (torch.optim.Adam on the multiplier, clamped to its bound),
FSRL's LagrangianOptimizer (PID), and Safe-RLHF's PPO-Lagrangian trainer (torch.optim.SGD on
log_lambda, with the gradient -(episode cost - threshold) exp(log_lambda)).  TRL has no multiplier
of its own: the names are those under which a subclass or a reward function would log one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers.alignment.audits.printed import DOUBLE, SINGLE
from holdfast.solvers.alignment.audits.rules import Kind


@dataclass(frozen=True, slots=True)
class Preset:
    """Names that are tried in this order, the rule, and half a unit of its arithmetic."""

    step: Sequence[str]
    multiplier: Sequence[str]
    value: Sequence[str]
    rule: Kind
    unit: Fraction


PRESETS = {
    "omnisafe": Preset(
        ("Train/Epoch", "TotalEnvSteps", "step"), ("Metrics/LagrangeMultiplier",),
        ("Metrics/EpCost",), "adam", SINGLE,
    ),
    "fsrl": Preset(
        ("update/env_step", "step", "steps"), ("loss/lagrangian",),
        ("train/cost", "train/total_cost"), "pid", DOUBLE,
    ),
    "safe-rlhf": Preset(
        ("train/step", "step"), ("train/lambda",), ("train/episode_cost",), "log", SINGLE,
    ),
    "plain": Preset(
        ("step", "steps", "iteration", "epoch", "update", "global_step"),
        ("multiplier", "lambda", "lam", "lagrange_multiplier", "lagrangian_multiplier"),
        ("cost", "costs", "value", "violation", "constraint", "j_c", "ep_cost", "r_sys"),
        "plain", DOUBLE,
    ),
    "trl": Preset(
        ("step",), ("train/multiplier", "lagrange_multiplier", "multiplier", "lambda", "lam"),
        ("train/cost", "rewards/cost/mean", "rewards/cost_reward/mean", "constraint", "cost"),
        "plain", DOUBLE,
    ),
}  # fmt: skip
"""Name -> preset; the first whose columns a log has is taken, TRL's for a trainer_state.json."""
BATCH = {
    "group": ("group", "groups", "prompt_id", "uid", "prompt", "input"),
    "reward": ("reward", "rewards", "score", "total_reward"),
    "advantage": ("advantage", "advantages"),
    "logp": ("logp", "logprob", "log_prob", "train_logp"),
    "sampler_logp": ("sampler_logp", "old_logp", "old_log_prob", "rollout_logp"),
    "response": ("response", "completion", "output"),
}
"""What a column of a batch holds -> names that are tried, in this order."""
