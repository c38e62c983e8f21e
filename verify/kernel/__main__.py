"""python -I PATH/kernel/__main__.py FILE...: print every step; exit 4 if a file is rejected.

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
accepted = True
for path in sys.argv[1:]:
    report = kernel.check_file(path)
    accepted = accepted and report.accepted
    lines = *report.steps, *report.behind, report.conclusion or "REJECTED"
    print(f"{kernel.exact.printable(path)}: {report.kind}", *lines, sep="\n  ", flush=True)
sys.exit(0 if accepted else 4)
