"""What a log or a loss says against what it claims to be, and what is done to trained models.

``audit``, ``audit-trainer``; ``debias``, ``merge``: these two train nothing.
"""

COMMANDS = {
    "audit": (
        "Training of others", "audit",
        "Check the log of a constrained training, or a batch, against its own rule.",
    ),
    "audit-trainer": (
        "Training of others", "audit_trainer",
        "Say which closed form the fixed point of a loss obeys.",
    ),
    "debias": (
        "Trained models", "debias",
        "Remove what safety training adds to tokens in every context (TSDI).",
    ),
    "merge": (
        "Trained models", "merge", "Merge two policies between their logits or their weights.",
    ),
}  # fmt: skip
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
