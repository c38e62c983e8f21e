"""Options that all group-based algorithms on a bandit share; torch is not needed to read them."""

from __future__ import annotations

from dataclasses import dataclass

from ....errors import ModelError
from ...parts.constrained import require_positive
from ...parts.training import option


@dataclass(frozen=True)
class GroupOptions:
    """Raises ModelError for what is out of range."""

    prompts: int = option(2, "prompts of the tiny model")
    responses: int = option(5, "responses to each, all tokens of its vocabulary")
    temperature: float = option(0.5, "beta, the weight of the KL divergence")
    group: int = option(2, "responses of each group")
    groups: int = option(64, "groups an update, the same number of each prompt")
    updates: int = option(150, "updates, each on fresh groups")
    learning_rate: float = option(0.02, "of AdamW, falling to 0 as a cosine")

    def __post_init__(self) -> None:
        require_positive(self, "prompts groups updates learning_rate")
        if self.group < 2 or self.groups % self.prompts:
            raise ModelError(
                f"group = {self.group} must be at least 2, and groups = {self.groups} a multiple "
                f"of prompts = {self.prompts}"
            )
        if self.temperature < 0:
            raise ModelError(f"temperature = {self.temperature} must not be negative")
