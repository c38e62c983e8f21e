"""The command line: every command, every exit code, and what is said when something is wrong."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any
from xml.etree import ElementTree

import pytest

from holdfast.solvers import Status, policy_iteration, save, solve, value_of
from holdfast.theory import Standing
from holdfast.verify.binding.claims import pillar, shipped
from holdfast.verify.cli import doctor
from holdfast.verify.cmdp import landmarks
from holdfast.verify.kernel import WORK, Report, check
from holdfast.verify.terminal import certificates

from ..conftest import Invoke

HEAD = """
    from fractions import Fraction

    import flint

    from holdfast.theory import Domain, Eq, Le, Provenance, Quantity, Source, Standing, Theorem
    from holdfast.verify import Ball, Family, claim

    x = Quantity("x", "the smaller", Domain.NONNEGATIVE)
    y = Quantity("y", "the larger", Domain.NONNEGATIVE)
    fractions = Family(
        "fractions",
        base=lambda draw: Fraction(draw.integer(0, 9), draw.integer(1, 9)),
        landmarks={"one": lambda: (Fraction(1),)},
    )
    source = Source("me", "", Provenance.READ)


"""
BODIES = {
    "true": """
        @claim(Theorem("LABEL", "Halves", Le(x, 2 * y), source), over=fractions)
        def _(number):
            yield {x: 2 * number, y: number}
    """,
    "false": """
        @claim(Theorem("LABEL", "Halves", Le(x, y), source), over=fractions)
        def _(number):
            yield {x: 2 * number, y: number}
    """,
    "refuted": """
        false = Theorem("LABEL", "Halves", Le(x, y), source, standing=Standing.REFUTED)


        @claim(false, over=fractions)
        def _(number):
            yield {x: 2 * number, y: number}
    """,
    "agreeing": """
        @claim(Theorem("LABEL", "Roots", Eq(x * x, y), source), over=fractions)
        def _(number):
            yield {x: Ball(lambda: flint.arb(2).sqrt()), y: 2}
    """,
    "undecided": """
        @claim(Theorem("LABEL", "Roots", Eq(x * x, y), source), over=fractions)
        def _(number):
            once = flint.arb(2).sqrt()  # at 53 bits, and never better
            yield {x: Ball(lambda: once), y: 2}
    """,
    "loose": """
        @claim(Theorem("LABEL", "Halves", Le(x, 5 * y), source), over=fractions)
        def _(number):
            yield {x: number, y: number}
    """,
    "raising": """
        @claim(Theorem("LABEL", "Halves", Le(x, y), source), over=fractions)
        def _(number):
            raise RuntimeError("no idea")
            yield
    """,
    "unknown": """
        @claim(Theorem("LABEL", "Halves", Le(x, y), source), over=fractions)
        def _(number):
            yield {x: 0, y: 0, Quantity("z", "no part of it"): 0}
    """,
    "missing": """
        @claim(Theorem("LABEL", "Halves", Le(x, y), source), over=fractions)
        def _(number):
            yield {x: 0}
    """,
    "floating": """
        @claim(Theorem("LABEL", "Halves", Le(x, y), source), over=fractions)
        def _(number):
            yield {x: 0.5, y: number}
    """,
}


@pytest.fixture
def user_file(tmp_path: Path) -> Callable[[str], Path]:
    """A user's file with one of the claims above."""

    def written(name: str) -> Path:
        path = tmp_path / f"{name}.py"
        text = dedent(HEAD) + dedent(BODIES[name]).lstrip()
        path.write_text(text.lstrip().replace("LABEL", f"user/{tmp_path.name}-{name}"))
        return path

    return written


@pytest.fixture
def g1_file(tmp_path: Path) -> Path:
    path = tmp_path / "g1.json"
    save(landmarks.g1(), path)
    return path


def verify(*arguments: object) -> tuple[object, ...]:
    return ("verify", *arguments, "--jobs", 1, "--store", "store/findings.sqlite")


# -- verify: the exit codes
@pytest.mark.parametrize(("name", "code", "said"), [
    ("true", 0, ""),
    ("refuted", 0, ""),
    ("false", 1, "violat"),
    ("agreeing", 0, "agrees"), ("undecided", 2, "undecided on 41 models"),
    ("loose", 3, "surviv"),
    ("raising", 64, "RuntimeError: no idea"),
    ("unknown", 64, "the theorem has no quantity z; it has x, y"),
    ("missing", 64, "no value for y (the larger)"),
    ("floating", 64, "a float is not evidence"),
])  # fmt: skip
def test_a_user_s_file(holdfast: Invoke, user_file, name: str, code: int, said: str) -> None:
    path = user_file(name)
    assert len(path.read_text().splitlines()) <= 25
    done = holdfast(*verify(path, "--budget", 40))
    assert done.code == code, done.output
    assert said in done.output.lower() or done.says(said), done.output
    assert "Traceback" not in done.output


def test_a_violation_is_shrunk_certified_and_checkable(holdfast: Invoke, user_file) -> None:
    done = holdfast(*verify(user_file("false"), "--budget", 40, "--json", "run.json"))
    assert done.code == 1
    (certificate,) = Path("store/certificates").glob("*.json")
    assert json.loads(certificate.read_text())["kind"] == "counterexample"
    assert holdfast("check", certificate).code == 0
    (found,) = json.loads(Path("run.json").read_text())["models"]["counterexamples"].values()
    assert found["certificate"].endswith(certificate.name)


def test_the_outputs_parse(holdfast: Invoke) -> None:
    done = holdfast(*verify("cmdp/occupancy", "--budget", 20, "--json", "out/run.json",
                            "--junit", "out/run.xml", "--html", "out/html"))  # fmt: skip
    assert done.code == 0, done.output
    run = json.loads(Path("out/run.json").read_text())
    assert run["exit_code"] == 0
    assert [claim["name"] for claim in run["claims"]] == ["cmdp/occupancy"]
    assert run["claims"][0]["models"] >= 20
    suite = ElementTree.parse("out/run.xml").getroot()
    assert suite.attrib["failures"] == "0"
    assert len(list(suite.iter("testcase"))) == 1
    page = Path("out/html/index.html").read_text()
    assert "cmdp/occupancy" in page
    assert done.says("out/run.json", "out/run.xml", "out/html/index.html")


def test_patterns_choose_claims(holdfast: Invoke) -> None:
    done = holdfast(
        *verify("primal-dual/tele*", "cmdp/occ?pancy", "--budget", 5, "--json", "run.json")
    )
    names = {claim["name"] for claim in json.loads(Path("run.json").read_text())["claims"]}
    assert names == {
        "cmdp/occupancy", "primal-dual/telescoping", "primal-dual/telescoping-unclipped",
        "primal-dual/telescoping-average",
    }  # fmt: skip
    assert done.code in (0, 3)


def test_the_same_seed_finds_the_same_and_another_does_not(holdfast: Invoke) -> None:
    tightest = []
    for number, seed in enumerate((4, 4, 5)):
        holdfast(*verify("cmdp/infeasibility", "--budget", 30, "--seed", seed, "--fresh",
                         "--json", f"{number}.json"))  # fmt: skip
        run = json.loads(Path(f"{number}.json").read_text())
        tightest.append(run["claims"][0]["slacks"])
    assert tightest[0] == tightest[1] != tightest[2]


@pytest.mark.parametrize("budget", ["soon", "0", "-5", "1e3", "3 parsecs", ""])
def test_a_bad_budget(holdfast: Invoke, budget: str) -> None:
    done = holdfast(*verify("cmdp/occupancy", f"--budget={budget}"))
    assert done.code == 64
    assert "budget" in done.output
    assert "Traceback" not in done.output


def test_a_budget_in_seconds(holdfast: Invoke) -> None:
    assert holdfast(*verify("primal-dual/telescoping", "--budget", "1s")).code == 0


def test_an_unknown_label_is_answered_with_near_ones(holdfast: Invoke) -> None:
    for command in ("verify", "show", "hunt", "list"):
        done = holdfast(command, "cmdp/multiplier-bond")
        assert done.code == 64
        assert done.says("did you mean", "cmdp/multiplier-bound", "holdfast list"), done.output


@pytest.mark.parametrize("arguments", [
    ("verify", "--no-such-option"), ("no-such-command",), ("solve",), ("check",), ("hunt",),
    ("verify", "--seed", "x"), ("verify", "--jobs", "0", "cmdp/occupancy", "--budget", "1"),
    ("verify", "missing.py"), ("verify", "cmdp/occupancy", "--cost", "step"),
])  # fmt: skip
def test_bad_usage(holdfast: Invoke, arguments: tuple[str, ...]) -> None:
    done = holdfast(*arguments)
    assert done.code == 64, done.output
    assert "Error" in done.output
    assert "Traceback" not in done.output


def test_the_shell_completes(holdfast: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words alone: whatever else is printed would end up on the command line."""
    monkeypatch.setenv("_HOLDFAST_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("COMP_WORDS", "holdfast po")
    done = holdfast()
    assert (done.code, done.output) == (0, "plain,poison\nplain,poison-synthetic\n")


def test_help_is_grouped_by_purpose(holdfast: Invoke) -> None:
    done = holdfast("--help")
    groups = ("Check theorems: verify ", "Solve a model: chance ", "Preference data: poison ",
              "Files and installation: check ")  # fmt: skip
    assert done.says(*groups)
    assert sorted(map(done.flat.index, groups)) == list(map(done.flat.index, groups))


def test_help_and_version(holdfast: Invoke) -> None:
    done = holdfast("--help")
    assert done.code == 0
    assert done.says("verify", "list", "show", "solve", "check", "hunt", "doctor")
    for command in ("verify", "list", "show", "solve", "check", "hunt", "doctor"):
        assert holdfast(command, "--help").code == 0


def test_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "holdfast", "list", "primal-dual/telescoping"],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0
    assert "primal-dual/telescoping" in done.stdout


# -- the store
def test_a_corrupted_store(holdfast: Invoke, tmp_path: Path) -> None:
    store = tmp_path / "store/findings.sqlite"
    store.parent.mkdir()
    store.write_bytes(b"this is no database at all" * 100)
    for command in (verify("cmdp/occupancy", "--budget", 5),
                    ("show", "cmdp/occupancy", "--store", store)):  # fmt: skip
        done = holdfast(*command)
        assert done.code == 64
        assert str(store.name) in done.output
        assert "Traceback" not in done.output


def test_an_interrupted_run_is_resumed_and_says_so(
    holdfast: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    from holdfast.verify.campaign import run as campaign_run

    examine, seen = campaign_run.examine, []

    def interrupted(*arguments):
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return examine(*arguments)

    command = verify("cmdp/occupancy", "--budget", 220, "--json", "run.json")
    monkeypatch.setattr(campaign_run, "examine", interrupted)
    done = holdfast(*command)
    assert done.code == 130
    assert done.says("2 finished shards are kept in store/findings.sqlite",
                     "the same command again goes on from there")  # fmt: skip
    monkeypatch.setattr(campaign_run, "examine", examine)
    assert holdfast(*command).code == 0
    assert json.loads(Path("run.json").read_text())["claims"][0]["models"] == 221
    with sqlite3.connect("store/findings.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)


# -- list, show, hunt, doctor
def test_list_json(holdfast: Invoke) -> None:
    done = holdfast("list", "--json")
    rows = json.loads(done.output)
    assert len(rows) >= 30
    assert [row["claim"] for row in rows] == [one.name for one in shipped()]
    assert len({row["claim"] for row in rows}) == len(rows)
    assert {frozenset(row) for row in rows} == {frozenset(rows[0])}
    for row, one in zip(rows, shipped(), strict=True):
        assert row["theorem"] == one.theorem.label and row["pillar"] == pillar(one)
        assert row["assumptions"].keys() == {given.name for given in one.theorem.given}
        assert row["symbols"].keys() == {q.name for q in one.theorem.quantities}
        assert row["named_mutants"].keys() == {mutant.name for mutant in one.named_mutants}
        assert row["title"] and row["statement"] and row["latex"] and row["work"]
        assert row["commands"]["verify"] == f"holdfast verify {one.name}"
        printed = one.theorem.standing is Standing.REFUTED
        assert ("standalone" in row["commands"]) == printed
    assert holdfast("list").says("cmdp/strong-duality", "Altman 1999", "stands", "recalled")


def test_show_before_and_after_a_run(holdfast: Invoke) -> None:
    show = ("show", "concentration/hoeffding", "--store", "store/findings.sqlite")
    before = holdfast(*show)
    assert before.code == 0
    assert before.says("Hoeffding", "M25")
    holdfast(*verify("concentration/hoeffding", "--budget", 5))
    assert len(holdfast(*show).output) > len(before.output)


def test_show_a_user_s_theorem(holdfast: Invoke, user_file) -> None:
    assert holdfast("show", user_file("true")).says("Halves")


def test_hunting(holdfast: Invoke, user_file) -> None:
    store = ("--store", "store/findings.sqlite", "--budget", 200)
    done = holdfast("hunt", "primal-dual/telescoping", *store)
    assert done.code == 0
    assert done.says("tightest, ratio 1", "not refuted on 200 models")
    done = holdfast("hunt", user_file("false"), *store)
    assert done.code == 1
    assert "violated" in done.output
    (certificate,) = Path("store/certificates").glob("*.json")
    assert holdfast("check", certificate).code == 0


def test_a_store_in_memory_leaves_no_certificate(holdfast: Invoke, user_file) -> None:
    name = user_file("false")
    for command in ("verify", "hunt"):
        done = holdfast(command, name, "--store", ":memory:", "--budget", 40)
        assert done.code == 1
    assert done.says("counterexample: not written, store in memory (", "given)")
    assert not list(Path().rglob("*.json"))


def test_hunting_takes_one_claim(holdfast: Invoke) -> None:
    done = holdfast("hunt", "primal-dual/tele*", "--store", "store/findings.sqlite")
    assert done.code == 64
    assert done.says("matches 3 claims")


def test_the_doctor(holdfast: Invoke) -> None:
    done = holdfast("doctor")
    assert done.code in (0, 69)
    assert "Traceback" not in done.output
    assert "python" in done.output.lower()


# -- solve and check
def test_solve_a_file(holdfast: Invoke, g1_file: Path) -> None:
    done = holdfast("solve", g1_file)
    assert done.code == 0
    assert done.says("7/2", "3.5", "accepted by the kernel")
    assert str(done.certificate).startswith(".holdfast/certificates/g1-")
    assert holdfast("check", done.certificate).code == 0


def test_certificates_do_not_replace_one_another(holdfast: Invoke, g1_file: Path) -> None:
    """Another limit, another model of the same name, and the same again."""
    first, other = (holdfast("solve", g1_file, "--limit", b).certificate for b in ("1", "1/2"))
    assert first != other
    text = first.read_text()
    assert holdfast("solve", g1_file, "--limit", "1").certificate == first
    save(landmarks.g1().with_discount(0), g1_file)
    holdfast("solve", g1_file, "--limit", "1")
    assert first.read_text() == text
    assert len(list(Path(".holdfast/certificates").iterdir())) == 3
    assert sorted(path.name for path in Path().iterdir()) == [".holdfast", "g1.json"]


def test_solve_with_other_budgets_and_discount(holdfast: Invoke, g1_file: Path) -> None:
    assert holdfast("solve", g1_file, "--limit", "1").says("value 3")
    assert holdfast("solve", g1_file, "--limit", "0.5").says("13/6")
    done = holdfast("solve", g1_file, "--discount", "0", "--certificate", "own.json")
    assert done.code == 0
    assert Path("own.json").exists()


def test_solve_by_enclosure(holdfast: Invoke, g1_file: Path) -> None:
    done = holdfast("solve", g1_file, "--method", "enclosure")
    assert done.code == 0
    assert done.says("multiplier search", "width", "accepted by the kernel")
    assert json.loads(done.certificate.read_text())["kind"] == "cmdp-enclosure"


TINY = Fraction(1, 10**12)


def test_infeasible_by_a_millionth_of_a_millionth(holdfast: Invoke, tmp_path: Path) -> None:
    """Floats call it feasible; the answer here is the exact distance."""
    model = landmarks.negative_cost(Fraction(0), Fraction(1, 3))
    least = value_of(model, policy_iteration(model, ("cost", 0), maximise=False).values)
    assert least == Fraction(-3, 2)
    save(model.with_budgets(least - TINY), tmp_path / "tight.json")
    done = holdfast("solve", "tight.json")
    assert done.code == 0
    assert done.says("infeasible", "1/1000000000000 ", "accepted by the kernel")
    assert holdfast("check", done.certificate).code == 0
    save(model.with_budgets(least), tmp_path / "exact.json")
    assert not holdfast("solve", "exact.json").says("infeasible")


def test_frozen_lake_below_its_least_cost(holdfast: Invoke) -> None:
    from holdfast.verify.cmdp.named_models import read_model

    lake = read_model("gym:FrozenLake-v1", ["states:5,7,11,12"], ["0"], "9/10")
    least = value_of(lake, policy_iteration(lake, ("cost", 0), maximise=False).values)
    below = least - TINY
    assert solve(lake.with_budgets(below)).relaxation == TINY
    assert solve(lake.with_budgets(least)).status is Status.EXACT
    costs = ("--cost", "states:5,7,11,12", f"--limit={below}")
    done = holdfast("solve", "gym:FrozenLake-v1", "--discount", "9/10", *costs)
    assert done.code == 0
    assert done.says("infeasible", "1/1000000000000 ")


@pytest.mark.parametrize(("arguments", "said"), [
    (("nowhere.json",), "no such file"),
    (("gym:NoSuchLake-v1",), "NoSuchLake"),
    (("gym:FrozenLake-v1", "--cost", "step"), "1 costs and 0 limits"),
    (("gym:FrozenLake-v1", "--cost", "steps", "--limit", "1"), "is none of these"),
    (("gym:FrozenLake-v1", "--cost", "states:a", "--limit", "1"), "write states:5,7,12"),
    (("gym:FrozenLake-v1", "--cost", "no_module:f", "--limit", "1"), "no_module"),
    (("gym:FrozenLake-v1", "--cost", "none.npy", "--limit", "1"), "cannot be read"),
    (("g1.json", "--cost", "step"), "--cost goes with gym: models"),
    (("g1.json", "--limit", "a lot"), "write a rational"),
    (("g1.json", "--limit", "1", "--limit", "2"), "has 1 cost and 2 limits given"),
    (("g1.json", "--discount", "1"), "discount"),
    (("g1.json", "--discount", "-1/2"), "discount"),
])  # fmt: skip
def test_solve_what_cannot_be_solved(holdfast: Invoke, g1_file, arguments, said: str) -> None:
    done = holdfast("solve", *arguments)
    assert done.code == 64, done.output
    assert done.says(said), done.output
    assert "Traceback" not in done.output


def test_a_truncated_model(holdfast: Invoke, g1_file: Path) -> None:
    text = g1_file.read_text()
    for length in (0, 1, len(text) // 2, len(text) - 2):
        g1_file.write_text(text[:length])
        done = holdfast("solve", g1_file)
        assert done.code == 64
        assert "g1.json" in done.output
        assert "Traceback" not in done.output


def test_answers_as_json(holdfast: Invoke, g1_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "diagnose", partial(doctor.diagnose, ["python", "clock"]))
    good = holdfast("solve", g1_file, "--json", "solve.json").certificate
    wrong = {**json.loads(good.read_text()), "value": "36/10"}
    Path("wrong.json").write_text(json.dumps(wrong))
    assert holdfast("check", good, "wrong.json", "--json", "check.json").code == 4
    assert holdfast("show", "concentration/hoeffding", "--json", "show.json").code == 0
    code = holdfast("doctor", "--json", "doctor.json").code
    solved, checked, shown, found = (
        json.loads(Path(f"{name}.json").read_text())
        for name in ("solve", "check", "show", "doctor")
    )
    assert (solved["schema"], solved["value"]) == ("holdfast-solve/1", "7/2")
    assert (checked["schema"], checked["accepted"]) == ("holdfast-check/1", False)
    right, bad = checked["certificates"]
    assert (right["file"], right["accepted"], right["kind"]) == (str(good), True, "cmdp-optimum")
    assert right["conclusion"].endswith(" is 7/2") and len(right["steps"]) == 6
    assert (bad["accepted"], bad["conclusion"]) == (False, "REJECTED")
    assert "REJECTED: " in bad["steps"][-1]
    (theorem,) = shown["theorems"]
    assert theorem["label"] == "concentration/hoeffding" and shown["schema"] == "holdfast-show/1"
    assert {one["kind"] for one in theorem["claims"][0]["mutants"]} >= {"derived"}
    assert theorem["places"][0]["role"] == "statement" and theorem["findings"] == []
    assert (found["schema"], found["sound"]) == ("holdfast-doctor/1", code == 0)
    assert all(isinstance(one["detail"], str) for one in found["checks"])
    for command in (("check", good), ("show", "x"), ("doctor",)):
        done = holdfast(*command, "--json", "nowhere/a.json")
        assert (done.code, done.says("there is no folder")) == (64, True), done.output
    assert holdfast("check", good, "--json", good).says("is the same file as certificate 1")


def test_check_many_files_and_a_bad_one(holdfast: Invoke, g1_file: Path) -> None:
    good = holdfast("solve", g1_file).certificate
    document = json.loads(good.read_text())
    Path("wrong.json").write_text(json.dumps({**document, "value": "36/10"}))
    Path("half.json").write_text(good.read_text()[:99])
    assert holdfast("check", good, good).code == 0
    done = holdfast("check", good, "nowhere.json")
    assert (done.code, done.says("nowhere.json", "does not exist")) == (64, True), done.output
    for bad in ("wrong.json", "half.json"):
        done = holdfast("check", good, bad)
        assert done.code == 4
        assert done.says("REJECTED", bad)
        assert "Traceback" not in done.output


# -- verify on real models
def test_verify_on_a_user_s_model(holdfast: Invoke, g1_file: Path) -> None:
    done = holdfast(*verify("cmdp/strong-duality", "primal-dual/telescoping", "--on", g1_file,
                            "--budget", 5, "--json", "run.json"))  # fmt: skip
    assert done.code == 0, done.output
    run = json.loads(Path("run.json").read_text())
    assert {world["value"] for world in run["worlds"]} == {"7/2"}
    verdicts = {claim["name"]: claim["verdict"] for claim in run["claims"]}
    assert verdicts["cmdp/strong-duality"] == "holds"
    assert verdicts["primal-dual/telescoping"] == "out_of_scope"


def test_verify_on_frozen_lake(holdfast: Invoke) -> None:
    done = holdfast(*verify("cmdp/strong-duality", "--on", "gym:FrozenLake-v1", "--cost",
                            "states:5,7,11,12", "--limit", "1/2", "--discount", "9/10",
                            "--budget", 5))  # fmt: skip
    assert done.code == 0, done.output
    assert done.says("accepted by the kernel")


def test_details_that_match_nothing_are_refused_before_anything_runs(holdfast: Invoke) -> None:
    done = holdfast(*verify("cmdp/occupancy", "--details", "poisoning", "--budget", 5))
    assert done.code == 64
    assert done.says("--details poisoning matches no statement of this run")
    assert done.says("a pillar (cmdp)")
    assert not Path("store/findings.sqlite").exists()


def test_a_certificate_that_needs_time(
    holdfast: Invoke, g1_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of one's own is accepted if time is all it lacks; `check` allows it that time."""
    debt = -1_000_000  # units, more than the size of the document brings

    def hurried(document: dict[str, Any], work: int = debt) -> Report:
        return check(document, work)

    monkeypatch.setattr(certificates, "check", hurried)
    problem = ("--unsafe", "1", "--horizon", "2", "--risk", "1/2", "--certificate", "proof.json")
    done = holdfast("chance", g1_file, *problem)
    assert done.code == 0
    assert done.says("accepted by the kernel", "holdfast check --budget 60s proof.json")
    assert holdfast("check", "--budget", "60s", "proof.json").code == 0
    text = json.loads(Path("proof.json").read_text())
    late = check(text, debt)
    assert "needs more work than is allowed (check --budget allows more)" in str(late.steps[-1])
    assert check(text, WORK).accepted
