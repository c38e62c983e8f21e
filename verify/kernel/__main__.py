"""python -I PATH/kernel/__main__.py FILE...: print every step; exit 4 if a file is rejected.

Run by its own path in Python's isolated mode, nothing of the current folder or of the environment
is imported. `python -m` would look into the current folder first.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main(paths: list[str]) -> int:
    """Check the files, one after the other."""
    spec = spec_from_file_location("kernel", FOLDER / "__init__.py")
    assert spec is not None and spec.loader is not None
    kernel = sys.modules["kernel"] = module_from_spec(spec)
    spec.loader.exec_module(kernel)
    accepted = True
    for path in paths:
        report = kernel.check_file(path)
        accepted &= report.accepted
        lines = *report.steps, *report.behind, report.conclusion or "REJECTED"
        print(f"{kernel.exact.printable(path)}: {report.kind}", *lines, sep="\n  ")
    return 0 if accepted else 4


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
