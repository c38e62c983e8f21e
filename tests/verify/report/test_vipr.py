"""Certificates as .vipr: accepted by a checker written from the grammar, corrupted ones refused."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from holdfast.verify.binding.claims import shipped
from holdfast.verify.report.exports.vipr import KINDS, linear_programs, vipr
from holdfast.verify.report.standalone.plain import solved
from holdfast.verify.search.counterexample import Refuter, certify

from ...oracles.vipr import Constraint, File, Refused, check
from ..conftest import Invoke
from ..kernel.conftest import DOCUMENTS

CERTIFICATES = {one["kind"]: one for one in DOCUMENTS.values() if one["kind"] in KINDS}
FILES = {kind: vipr(document) for kind, document in CERTIFICATES.items()}

# The example of the specification: min x + y over integers, 4x + y >= 1 and 4x - y <= 2.
SPECIFIED = """% the example of the specification
VER 1.0
VAR 2 x y
INT 2 0 1
OBJ min 2 0 1 1 1
CON 2 0
C1 G 1 2 0 4 1 1
C2 L 2 2 0 4 1 -1
RTP range 1 1
SOL 2 feas 2 0 1 1 2 opt 1 1 1
DER 4
C3 G -1/2 1 1 1 { lin 2 0 1/2 1 -1/2 } 3
C4 G 0 1 1 1 { rnd 1 2 1 } 4
C5 G 1/4 OBJ { lin 2 0 1/4 3 3/4 } 5
C6 G 1 OBJ { rnd 1 4 1 } 0
"""


def corrupted(text: str) -> Iterator[str]:
    """The file with one word changed: each number raised, negated or cancelled, each sense turned,
    each word left out."""
    for found in re.finditer(r"\S+", text[text.index("OBJ") :]):
        word = found[0]
        others = {"L": ["G"], "G": ["L"], "E": ["L", "G"], "max": ["min"], "infeas": ["range 0 0"]}
        if re.fullmatch(r"-?\d+(/\d+)?", word):
            number = Fraction(word)
            others[word] = [str(other) for other in {number + 1, -number, Fraction(0)} - {number}]
        at = text.index("OBJ") + found.start()
        for other in ["", *others.get(word, [])]:
            yield text[:at] + other + text[at + len(word) :]


def vertices(file: File) -> Iterator[dict[int, Fraction]]:
    """The feasible points at which as many constraints are tight as there are variables."""
    size = file.variables
    given: list[Constraint] = file.constraints[: file.given]
    for tight in combinations(given, size):
        rows = [[one.row.get(j, Fraction(0)) for j in range(size)] for one in tight]
        point = solved(rows, [one.right for one in tight])
        if point is not None:
            found = dict(enumerate(point))
            if all(one.met_by(found) for one in given):
                yield found


def is_true(file: File) -> bool:
    """Whether the vertices agree with what the file is said to prove, and there is one."""
    worth = [sum(file.objective.get(j, 0) * x for j, x in v.items()) for v in vertices(file)]
    if file.infeasible:
        return not worth
    best = max(worth) if file.maximised else min(worth)
    return file.low <= best <= file.high


def test_the_checker_reads_the_example_of_the_specification() -> None:
    file = check(SPECIFIED)
    assert (file.low, file.high) == (1, 1)
    for good, bad in [("3 3/4", "3 1/4"), ("rnd 1 2 1", "lin 1 2 1"), ("INT 2 0 1", "INT 1 0")]:
        with pytest.raises(Refused):
            check(SPECIFIED.replace(good, bad))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_certificate_becomes_a_file_that_is_accepted(kind: str) -> None:
    file, document = check(FILES[kind]), CERTIFICATES[kind]
    assert file.infeasible == kind.endswith("infeasible")
    assert is_true(file)
    if not file.infeasible:
        assert file.low == file.high == Fraction(document["value"])


def test_one_changed_word_is_refused_or_what_is_proved_is_true_all_the_same() -> None:
    refused = {kind: 0 for kind in KINDS}
    for kind, text in FILES.items():
        for changed in corrupted(text):
            try:
                file = check(changed)
            except Refused:
                refused[kind] += 1
                continue
            assert is_true(file), changed
    assert min(refused.values()) >= 30, refused


def test_the_checker_of_the_authors_agrees_where_it_is_installed(tmp_path: Path) -> None:
    program = shutil.which("viprchk")
    if program is None:
        pytest.skip("viprchk is not installed; it is built from the repository of the format")
    for number, text in enumerate(FILES.values()):
        path = tmp_path / f"{number}.vipr"
        path.write_text(text)
        assert subprocess.run([program, path], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("label", ["flipping/two-actions", "surrogate-costs/always-stochastic"])
def test_programs_inside_a_counterexample_have_files_of_their_own(label: str) -> None:
    (claim,) = (one for one in shipped() if one.name == label)
    seen = Refuter(claim).refute(claim.family.landmark(claim.witness))
    assert seen is not None
    document = certify(claim, seen.case, seen.part, seen.values).document
    found = dict(linear_programs(document, "case"))
    assert found
    for inner in found.values():
        assert check(vipr(inner)).low == Fraction(inner["value"])


def test_numbers_of_any_length_are_written_in_decimals() -> None:
    tiny = f"1/{hex(3**10000)}"  # of 4772 digits, where Python's own text ends at 4300
    long: dict[str, Any] = {
        **CERTIFICATES["linear-program-optimum"],
        "program": {"sense": "max", "objective": ["1"], "rows": [
            {"terms": [[0, "1"]], "relation": "<=", "rhs": tiny}]},
        "primal": [tiny], "dual": ["1"], "value": tiny,
    }  # fmt: skip
    assert re.search(r"RTP range 1/\d{4772} 1/\d{4772}\n", vipr(long))


def test_check_writes_them_and_says_where(holdfast: Invoke) -> None:
    Path("lp.json").write_text(json.dumps(CERTIFICATES["linear-program-optimum"]))
    done = holdfast("check", "lp.json", "--vipr", "out")
    assert done.code == 0 and done.says("wrote out/lp.vipr")
    assert Path("out/lp.vipr").read_text() == FILES["linear-program-optimum"]
    assert holdfast("check", "lp.json", "--vipr", "out").code == 0  # the same text again
    Path("out/lp.vipr").write_text("mine")
    done = holdfast("check", "lp.json", "--vipr", "out")
    assert done.code == 64 and done.says("out/lp.vipr is there with another text")
    assert Path("out/lp.vipr").read_text() == "mine"


def test_brackets_in_names_are_shown_as_they_are(holdfast: Invoke) -> None:
    Path("a[red].json").write_text(json.dumps(CERTIFICATES["linear-program-optimum"]))
    done = holdfast("check", "a[red].json", "--vipr", "o[ut")
    assert done.code == 0 and done.says("wrote o[ut/a[red].vipr")
    Path("o[ut/a[red].vipr").write_text("mine")
    assert holdfast("check", "a[red].json", "--vipr", "o[ut").says("o[ut/a[red].vipr is there")
    Path("v[1].json").write_text(json.dumps(DOCUMENTS["policy"]))
    assert holdfast("check", "v[1].json", "--vipr", "out").says("v[1].json holds no certificate")


def test_what_is_no_linear_program_or_is_rejected_has_no_file(holdfast: Invoke) -> None:
    Path("value.json").write_text(json.dumps(DOCUMENTS["policy"]))
    done = holdfast("check", "value.json", "--vipr", "out")
    assert done.code == 64 and done.says("value.json holds no certificate", "policy-value")
    wrong = {**CERTIFICATES["linear-program-optimum"], "value": "1"}
    Path("wrong.json").write_text(json.dumps(wrong))
    assert holdfast("check", "wrong.json", "--vipr", "out").code == 4
    assert not Path("out").exists()
