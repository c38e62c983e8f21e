"""What `solve --joint-risk` does and prints."""

COMMANDS: dict[str, tuple[str, str]] = {}
"""Name -> (module of this folder, what it is for); here options of `solve`."""
