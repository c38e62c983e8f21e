"""The main statements on alignment, a row for each group: what one run of their claims finds.

``make alignment`` runs the claims and prints it; or, with a run of your own,
``holdfast verify alignment --json run.json; python alignment_table.py run.json``.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROWS = {
    "G1 the optimum of a reward less KL is a tilt": "tilts/gibbs",
    "G2 a law of sequences is tilted token by token": "tilts/soft-bellman",
    "G3 DPO finds the tilt where comparisons connect": "preferences/dpo preferences/components",
    "G4 how far best-of-n goes, how often it wins": "best-of-n/divergence best-of-n/win-rate",
    "G5 GRPO rests at the tilt by (1 - 1/G) r": "group-updates/leave-one-out "
    "group-updates/fixed-point",
    "G6 which divergence k1, k2, k3 pull along": "group-updates/estimators group-updates/token-kl "
    "group-updates/token-fixed-point",
    "S1 SACPO's stages give the joint optimum": "stepwise/composition stepwise/order "
    "stepwise/several",
    "S2 strong duality, the multiplier's bound": "stepwise/duality stepwise/multiplier-bound",
    "S3 SACPO's Theorem 2 (open), and a repair": "estimated/optimality "
    "estimated/optimality-repaired",
    "S4 SACPO's Theorem 3, unpaired data (false)": "designs/violation",
    "S4' repairs of Theorem 3": "estimated/violation-repaired estimated/violation-moved "
    "estimated/violation-ordered",
    "S5 Lemma 9 for a large ridge, or at once (false)": "designs/any-ridge designs/at-once",
    "S5' repairs of Lemma 9": "designs/pointwise designs/self-normalised",
    "S6 a width for comparisons, with its constant": "designs/paired",
    "S7 Lemma 11 for a slack constraint (false)": "estimated/level-printed",
    "S7' repair of Lemma 11": "estimated/level",
    "P1 merged logits scale the multiplier": "stepwise/merge stepwise/smallest-merge",
    "R1 critical, prompt and average constraints": "rectified/nested rectified/values "
    "rectified/compensation",
    "R2 no finite multiplier with KL, one without": "rectified/leak rectified/dual "
    "rectified/exact-penalty",
    "R3 descent for rectified costs": "rectified/mirror-descent rectified/dual-ascent",
    "T1 debiasing keeps what depends on context": "debiasing/decomposition debiasing/context-free",
    "I1 inference-aware descent, sharp constants": "inference-aware/two-goals best-of-n/variation "
    "best-of-n/smooth inference-aware/rate inference-aware/inexact inference-aware/group-error",
    "I2 soft best-of-n is not concave": "best-of-n/soft-mixture",
    "I3 a group's mean shortens updates by 1 - n/M": "inference-aware/unbiased "
    "inference-aware/baseline",
}
"""Number and words of a row -> the labels of its statements."""
HEAD = ("", "what", "statements", "verdict", "models", "violations", "mutants", "closest")


def _closest(found: Sequence[Mapping[str, Any]]) -> str:
    """The largest ratio of smaller to larger side, or to how many bits equal sides agree."""
    ratios = [one["tightest"]["ratio"] for one in found if one["tightest"]]
    known = [float(one) for one in ratios if one is not None]
    bits = [one["agreement_bits"] for one in found if one["agreement_bits"] is not None]
    parts = [f"ratio {max(known):.4g}"] if known else []
    return ", ".join([*parts, *([f"{min(bits)} bits"] if bits else [])]) or "equal"


def rows(claims: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """A row for each entry; it says so where the run has not examined one of its statements."""
    for name, labels in ROWS.items():
        number, _, words = name.partition(" ")
        names = labels.split()
        shown = ", ".join(f"`{label}`" for label in names)
        missing = [label for label in names if label not in claims]
        if missing:
            yield number, words, shown, f"not examined: {', '.join(missing)}", "", "", "", ""
            continue
        found = [claims[label] for label in names]
        fates = [mutant["fate"] for one in found for mutant in one["mutants"]]
        killed, alive = fates.count("killed"), fates.count("survived")
        verdicts = sorted({one["verdict"].upper() for one in found})
        violations = sum(one["tally"].get("violated", 0) for one in found)
        models = sum(one["models"] for one in found)
        counts = (str(models), str(violations), f"{killed}/{killed + alive}")
        yield number, words, shown, ", ".join(verdicts), *counts, _closest(found)


def main(path: str) -> None:
    """Print the table of a run as Markdown."""
    found = json.loads(Path(path).read_text(encoding="utf-8"))["claims"]
    claims = {claim["name"]: claim for claim in found if not claim["world"]}
    for row in (HEAD, ("---",) * len(HEAD), *rows(claims)):
        print("|", " | ".join(row), "|")


if __name__ == "__main__":
    main(sys.argv[1])
