"""python -I PATH/kernel/__main__.py [--work UNITS] FILE...: print every step; exit 4 if one fails.

Run by its own path in Python's isolated mode, nothing of the current folder or of the environment
is imported. `python -m` would look into the current folder first.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

spec = spec_from_file_location("kernel", Path(__file__).resolve().with_name("__init__.py"))
assert spec is not None and spec.loader is not None
kernel = sys.modules["kernel"] = module_from_spec(spec)
spec.loader.exec_module(kernel)
sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
accepted, paths, allowed = True, sys.argv[1:], kernel.WORK
if paths[:1] == ["--work"]:
    allowed, paths = int(paths[1]), paths[2:]
for path in paths:
    report = kernel.check_file(path, allowed)
    accepted = accepted and report.accepted
    lines = *report.steps, *report.behind, report.conclusion or "REJECTED"
    print(f"{kernel.printable(path)}: {report.kind}", *lines, sep="\n  ", flush=True)
sys.exit(0 if accepted else 4)
