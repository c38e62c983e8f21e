"""``hypergradient``: where a leader should move the problem of a soft follower."""

COMMANDS = {
    "hypergradient": (
        "Solve a model", "hypergradient", "Gradient and ascent of a leader over a soft follower.",
    ),
}  # fmt: skip
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
