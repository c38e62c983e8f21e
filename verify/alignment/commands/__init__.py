"""``debias`` and ``merge``: what is done to trained models without training them again."""

COMMANDS = {
    "debias": (
        "Trained models", "debias",
        "Remove what safety training adds to tokens in every context (TSDI).",
    ),
    "merge": (
        "Trained models", "merge", "Merge two policies between their logits or their weights.",
    ),
}  # fmt: skip
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
