"""python -m holdfast.verify.kernel FILE...: print every step; exit 4 if a file is rejected."""

import sys

from . import check_file

reports = {path: check_file(path) for path in sys.argv[1:]}
for path, report in reports.items():
    print(f"{path}: {report.kind}", *report.steps, report.conclusion or "REJECTED", sep="\n  ")
sys.exit(0 if all(report.accepted for report in reports.values()) else 4)
