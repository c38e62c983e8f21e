"""``chance``: models whose constraint is the chance of an unsafe state."""

COMMANDS = {
    "chance": (
        "Solve a model", "chance", "Maximise reward with a bounded chance of an unsafe state.",
    ),
}  # fmt: skip
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
