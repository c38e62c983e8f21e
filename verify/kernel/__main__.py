"""python -m holdfast.verify.kernel FILE...: print every step; exit 4 if a file is rejected."""
import sys

from . import check_file

reports = {path: check_file(path) for path in sys.argv[1:]}
for path, report in reports.items():
    verdict = "accepted" if report.accepted else "REJECTED"
    print(f"{path}: {report.kind} {verdict}", *report.steps, report.conclusion, sep="\n  ")
sys.exit(0 if all(report.accepted for report in reports.values()) else 4)
