"""The verdicts of the book: those of one run, kept in docs/results.json, and no others.

`make results` writes that file anew: ``python docs/_ext/book_results.py FILE RUN.json ...`` keeps
of the documents of `holdfast verify --json` what the book shows, of each claim from the last that
has it, and prints the claims that did not fare as expected, which may need more models.
"""

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from book_figures import drawn, environment, sides

from holdfast.verify.binding.claims import Claim
from holdfast.verify.binding.description import digest
from holdfast.verify.binding.family import Case
from holdfast.verify.engine.examiner import drawn_case
from holdfast.verify.kernel import Verdict
from holdfast.verify.report.mathml import mathml
from holdfast.verify.report.plots import slack_histogram
from holdfast.verify.report.wording import VERDICTS, change, verdict

FILE = Path(__file__).parents[1] / "results.json"
_KEPT = (
    "statement",
    "verdict",
    "outcome",
    "as_expected",
    "models",
    "power",
    "slacks",
    "tightest",
    "violations",
    "mutants",
)

_COLOURS = dict.fromkeys((Verdict.HOLDS, Verdict.TIGHT, Verdict.AGREES), "holds")
_COLOURS[Verdict.VIOLATED] = "refuted"
"""The class of a verdict, which gives it its colour; that of all others is open."""
_MARKS = {"expected": "✓ as expected", "unexpected": "✗ not as expected"}
_FARED = {
    "expected": "The verdict is the one that the standing of the statement says.",
    "unexpected": "The verdict is not the one that the standing of the statement says.",
}


class Results:
    """A run as the book shows it.

    Raises
    ------
    OSError, ValueError: if the file is missing, or is not what `make results` writes.
    """

    def __init__(self, file: Path = FILE) -> None:
        document = json.loads(file.read_text(encoding="utf-8"))
        self.seed: int = document["seed"]
        self.rows: dict[str, dict[str, Any]] = document["claims"]

    def row(self, claim: Claim) -> dict[str, Any] | None:
        """What the run found, or None where it did not examine the claim as it is stated now."""
        found = self.rows.get(claim.name)
        return found if found and found["statement"] == str(claim.theorem.relation) else None

    def why_none(self, claim: Claim) -> str:
        """Why there is no verdict."""
        if claim.trained:
            return "a claim on trained networks, which this run left out"
        if claim.name in self.rows:
            return "the statement has changed since the run"
        return "not examined in the run"

    def command(self, claim: Claim) -> str:
        """What gives the verdict again, or for the first time."""
        budget = self.rows.get(claim.name, {"budget": "1" if claim.trained else "20"})["budget"]
        return f"holdfast verify '{claim.name}' --budget {budget} --seed {self.seed}"

    def verdicts(self, claims: Iterable[Claim]) -> Counter[str]:
        """How many of the claims have each verdict."""
        return Counter(row["verdict"] for one in claims if (row := self.row(one)))

    def fared(self, claim: Claim) -> bool | None:
        """Whether the verdict is the one that its standing says; None without a verdict."""
        found = self.row(claim)
        return None if found is None else found["as_expected"]

    def chip(self, claim: Claim) -> str:
        """The verdict as a word in its colour, and beside it whether it was expected."""
        found = self.row(claim)
        if found is None:
            return f'<span class="chip" title="{self.why_none(claim)}">NO VERDICT</span>'
        one = Verdict[found["verdict"].upper()]
        fared = "expected" if found["as_expected"] else "unexpected"
        return (
            f'<span class="chip {_COLOURS.get(one, "open")}" title="{VERDICTS[one]}">'
            f'{verdict(one)}</span> <span class="fared {fared}" title="{_FARED[fared]}">'
            f"{_MARKS[fared]}</span>"
        )

    def block(self, claim: Claim, anchor: str) -> str:
        """Verdict, power, slacks, the model where the bound is tightest or false, and mutants."""
        found = self.row(claim)
        if found is None:
            template = environment().get_template("no_verdict.html.jinja")
            return template.render(results=self, claim=claim, anchor=anchor)
        finding = (found["violations"] or [found["tightest"]])[0]
        case = self._case(claim, finding) if finding else None
        return (
            environment()
            .get_template("verdict.html.jinja")
            .render(
                results=self,
                claim=claim,
                anchor=anchor,
                row=found,
                finding=finding,
                picture=drawn(claim, case, f"{anchor}-model") if case else "",
                sides=sides(finding["left"], finding["right"]) if finding else "",
                plot=slack_histogram(found["slacks"]),
                noticed=[_noticed(part) for part in found["power"]["parts"]],
                dead=sum(one["fate"] == "killed" for one in found["mutants"]),
                alive=sum(one["fate"] == "survived" for one in found["mutants"]),
            )
        )

    def front(self, claim: Claim, page: str) -> str:
        """What the tool does, in one picture and one command: a false statement and its model."""
        found = self.rows[claim.name]
        finding = found["violations"][0]
        case = self._case(claim, finding)
        assert case is not None, f"make results: the model of {claim.name} is another one now"
        return (
            environment()
            .get_template("front.html.jinja")
            .render(
                results=self,
                claim=claim,
                theorem=claim.theorem,
                statement=mathml(claim.theorem.statement_latex(), display=True),
                row=found,
                finding=finding,
                picture=drawn(claim, case, "front"),
                page=page,
            )
        )

    def _case(self, claim: Claim, finding: dict[str, Any]) -> Case | None:
        """The model of a finding, made again; None where this version makes another one."""
        kind, _, name = finding["case"].partition(":")
        if kind == "drawn":
            case = drawn_case(claim, self.seed, int(name))[1]
        elif name in claim.family.landmarks:
            case = claim.family.landmark(name)
        else:
            return None
        return case if digest(case) == finding["digest"] else None


def _noticed(part: dict[str, Any]) -> str:
    """The smallest relative change of a value that was noticed, in words."""
    size = part["noticed"]
    return change(None if size is None else round(-math.log2(size)))


@cache
def results() -> Results:
    """The run that the book shows."""
    return Results()


def kept(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the book shows of a run, a row a claim; a world's verdicts are left out."""

    def brief(row: dict[str, Any]) -> dict[str, Any]:
        found = {name: row[name] for name in _KEPT} | {"budget": document["budget"]}
        found["violations"] = [_sides(one) for one in row["violations"][:1]]
        found["tightest"] = row["tightest"] and _sides(row["tightest"])
        found["slacks"] = [float(f"{one:.3g}") for one in row["slacks"] if one is not None]
        return found

    return {row["name"]: brief(row) for row in document["claims"] if not row["world"]}


def _sides(finding: dict[str, Any]) -> dict[str, Any]:
    return {name: finding[name] for name in ("case", "part", "left", "right", "ratio", "digest")}


def main(target: str, *runs: str) -> None:
    """Write the results of the runs to the target; print the claims that may need more models."""
    documents = [json.loads(Path(run).read_text(encoding="utf-8")) for run in runs]
    (seed,) = {document["seed"] for document in documents}
    claims = {name: row for document in documents for name, row in kept(document).items()}
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in claims.items())
    Path(target).write_text(f'{{"seed": {seed}, "claims": {{\n{rows}\n}}}}\n', encoding="utf-8")
    print(*(name for name, row in claims.items() if not row["as_expected"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
