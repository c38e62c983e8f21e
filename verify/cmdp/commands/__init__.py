"""Commands on constrained models."""

COMMANDS = {
    "solve": (
        "Solve a model", "solving", "Maximise reward with bounded costs, exactly and certified.",
    ),
    "export": (
        "Files and installation", "exporting",
        "Write a model as PRISM's explicit files, or as .json or .npz.",
    ),
}  # fmt: skip
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
