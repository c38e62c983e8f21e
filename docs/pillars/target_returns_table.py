"""The table of the pillar's main statements: what prototypes found before, and what a run finds.

``make target-returns`` runs the claims and prints it; or, with a run of your own,
``holdfast verify target_returns --json run.json; python target_returns_table.py run.json``.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BEFORE = {
    "GP-1 confidence/bayesian": "fails with probability 0.010, 0.1 allowed",
    "GP-1' confidence/one-sided": "0.011",
    "GP-1' confidence/exact-tails": "0.040 to 0.062",
    "GP-2 confidence/determinant": "0.000 to 0.039, 0.1 allowed",
    "GP-3 information-gain/chain-rule": "equal to 2e-12",
    "GP-4 information-gain/greedy": "least ratio 0.885",
    "GP-5 information-gain/water-filling": "largest ratio 1.0000",
    "GP-6 information-gain/variances": "largest ratio 1.0",
    "GP-7 confidence/lipschitz": "exceeded by 0.1 % of draws",
    "PLS-T2 safe-tuning/pathwise": "0 of 4000 broken",
    "PLS-EXP safe-tuning/expansion": "0 of 310 broken",
    "PLS-T3 safe-tuning/regret": "0 of 300 broken",
    "PLS-T5 return-conditioning/density-bias": "0 of 419 broken, largest ratio 0.14",
    "RCSL-A return-conditioning/sharper-alignment": "0 of 23828 broken, largest ratio 0.998",
    "PLS-T6 return-conditioning/model-bias": "0 of 3000 broken",
    "PLS-T6' return-conditioning/model-bias-sharper": "largest ratio 0.9999",
    "PLS-T7 return-conditioning/fluctuation": "ratio of variances 0.97 to 1.04",
    "MT-1 expert-returns/tilt": "identity",
    "MT-2 expert-returns/dominance": "without monotony 1557 of 2000 broken",
    "MT-3 expert-returns/stability": "largest ratio 0.9999999",
    "MT-4 expert-returns/correction": "identity",
    "MT-5 expert-returns/coverage": "missed with probability 0.055, 0.1 allowed",
    "MT-6 expert-returns/best-of-many": "identity",
    "GR-1 group-gradients/own-baseline": "equal to 4e-16",
    "GR-2 group-gradients/normalised": "equal to 2e-15",
    "GR-3 group-gradients/intended": "equal; relabelled, biased by 0.43 on average",
    "GR-4 group-gradients/token-ratios": "parallel at the old policy; elsewhere biased by 0.13",
    "GR-5 group-gradients/reset-states": "equal; variances 0.11 and 15.9",
    "GR-6 group-gradients/active-sampling": "equal",
    "GR-7 group-gradients/clipping": "never above",
    "GR-8 group-gradients/truncation": "derived only",
}
"""Number of the statement and its label -> what a prototype in floating point had found."""


def rows(claims: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """A row for each statement; dashes where the run has not examined it."""
    for name, before in BEFORE.items():
        number, label = name.split()
        claim = claims.get(label)
        if claim is None:
            yield number, label, before, "not examined", "", "", ""
            continue
        fates = [mutant["fate"] for mutant in claim["mutants"]]
        killed, alive = fates.count("killed"), fates.count("survived")
        ratio = (claim["tightest"] or {}).get("ratio")
        shown = "" if ratio is None else f"{float(ratio):.4g}"
        verdict, refuted = claim["verdict"].upper(), f"{killed} of {killed + alive}"
        yield number, label, before, verdict, str(claim["models"]), shown, refuted


def main(path: str) -> None:
    """Print the table of a run as Markdown."""
    found = json.loads(Path(path).read_text(encoding="utf-8"))["claims"]
    claims = {claim["name"]: claim for claim in found if not claim["world"]}
    head = ("", "statement", "prototype", "verdict", "models", "closest ratio", "mutants refuted")
    for row in (head, ("---",) * len(head), *rows(claims)):
        print("|", " | ".join(row), "|")


if __name__ == "__main__":
    main(sys.argv[1])
