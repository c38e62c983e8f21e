"""Policies that are asked for a return and a cost, trained on data, and tuned within a limit.

To be read in this order: `transformer`, `learning`, `policy`, `decision_transformer`,
`fine_tuning`, `safe_tuning`; `hyperparameters`; of discrete actions
`discrete`, then `games`, `target_choice`, `multi_game`, or `lotteries`, `group_finetuning`.
"""

from lazy_loader import attach_stub

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "decision-transformer": (
        "decision_transformer", "transformer asked for a return within a cost, on recorded episodes"
    ),
    "group-finetuning": (
        "group_finetuning", "policy gradients from groups of episodes, for a decision transformer"
    ),
    "multi-game": (
        "multi_game", "transformer of several games, asked for the return that experts have"
    ),
    "safe-tuning": ("safe_tuning", "the same, its target tuned safely, beside baselines"),
}  # fmt: skip

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
