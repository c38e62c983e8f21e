"""``budget``: how many tokens the rollouts of a log have, in units of how many they need."""

COMMANDS = {
    "budget": (
        "Rollout logs", "budget", "Relative token budgets of prompts, and what to spend tokens on.",
    ),
}  # fmt: skip
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
