"""Commands on constrained models."""

COMMANDS = {
    "solve": (
        "Solve a model", "solving", "Maximise reward with bounded costs, exactly and certified.",
    ),
    "certify": (
        "Solve a model", "certifying", "Bounds that another program's policy or values prove.",
    ),
    "export": (
        "Files and installation", "exporting",
        "Write a model as PRISM's explicit files, or as .json or .npz.",
    ),
}  # fmt: skip
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
