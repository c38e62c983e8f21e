"""Group-relative policy optimisation (TRL) where the law of the number of tokens is known.

To be read in this order: `locks` (network, verifier, rollouts), `laws` (what is expected),
`group_policy` (the trainer), `lock` (kept runs), `efficiency` (runs against their budgets);
`sums`, `arithmetic` for a real language model.
"""

from lazy_loader import attach_stub

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "lock": ("lock", "GRPO on K-step locks, beside what each update is exactly expected to gain"),
    "arithmetic": ("arithmetic", "GRPO of a small language model on sums, with a verifier"),
}
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
