"""``audit`` and ``audit-trainer``: what a log, or a loss, says against what it claims to be."""

COMMANDS = {
    "audit": (
        "Training of others", "audit",
        "Check the log of a constrained training, or a batch, against its own rule.",
    ),
    "audit-trainer": (
        "Training of others", "audit_trainer",
        "Say which closed form the fixed point of a loss obeys.",
    ),
}  # fmt: skip
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
