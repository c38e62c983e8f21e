"""Commands on constrained models."""

COMMANDS = {
    "export": ("exporting", "Write a model as PRISM's explicit files, or as .json or .npz."),
}
"""Name -> (module of this folder, what it is for)."""
