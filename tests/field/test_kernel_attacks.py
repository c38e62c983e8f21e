"""Certificates that a stranger might send: false ones, misleading ones, ones that stall or shout.

Each is rejected, or says what stands behind it, within two seconds and 200 MB.
"""

import gzip
import json
import os
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from holdfast.verify.kernel import Enclosure, check, check_file

Document = dict[str, Any]
FORMAT = {"format": "holdfast-certificate/1"}
SECONDS, MEGABYTES = 2.0, 200.0
FALSE, TRUE = (Path(__file__).parent / "documents" / f"{n}.json.gz" for n in ("false", "true"))


def single_state(horizon: int, unsafe: list[int], charge: str) -> Document:
    """One state, one action, reward 1, no discount; none or all of the states are unsafe."""
    model = {
        "kind": "cmdp",
        "n_states": 1,
        "choices": [[0, 0]],
        "transitions": [[[0, 1]]],
        "discount": "1",
        "reward": ["1"],
        "costs": [],
        "budgets": [],
        "initial": ["1"],
    }
    return {
        "kind": "joint-chance",
        "model": model,
        "unsafe": unsafe,
        "horizon": horizon,
        "level": "1",
        "charge": charge,
        "terminal": ["0"],
        "counts_start": False,
        "reward_after_violation": True,
    }


def infeasible(model: Document, values: list[str]) -> Document:
    return {
        **FORMAT,
        "kind": "cmdp-infeasible",
        "model": model,
        "values": values,
        "multipliers": ["0"],
    }


def constant(value: str) -> Document:
    return {
        **FORMAT,
        "kind": "enclosure",
        "expression": value,
        "values": {},
        "lo": value,
        "hi": value,
    }


def false_relation(left: Any, right: Any, **values: Any) -> Document:
    return {
        **FORMAT,
        "kind": "counterexample",
        "relation": ["<=", left, right],
        "values": values,
    }


# -- false and misleading documents
def test_a_negative_horizon_is_rejected() -> None:
    """The window's single policy is safe: nothing unsafe, level 1. It is feasible."""
    negative = single_state(-2, [], "1/2")
    step = check(infeasible(negative, ["0", "1", "0"])).steps[-1]
    assert (step.ok, step.value) == (False, "-2")
    assert step.reason == "cmdp-infeasible.model.horizon is outside 1..1048576"


WINDOW_OPTIMUM: Document = {
    **FORMAT,
    "kind": "cmdp-optimum",
    "model": single_state(1, [], "0"),
    "occupancy": ["1", "0", "1"],
    "values": ["1", "1", "0"],
    "multipliers": ["0"],
    "value": "1",
}


def test_budgets_inside_a_window_are_rejected() -> None:
    """One decision for a reward of 1; a cost of 1 with a budget of -1000 would not count."""
    assert check(WINDOW_OPTIMUM).enclosure == Enclosure.exact(1)
    changed = json.loads(json.dumps(WINDOW_OPTIMUM))
    changed["model"]["model"] |= {"costs": [["1"]], "budgets": ["-1000"]}
    step = check(changed).steps[-1]
    assert not step.ok
    assert "must have no costs and budgets of its own" in step.reason
    changed["model"]["model"]["costs"] = []  # a budget without a cost
    assert not check(changed).accepted


def test_a_constant_is_no_proof() -> None:
    """5 <= 1 is false, and nothing stands behind 5 and 1."""
    document = false_relation(
        ["symbol", "P"],
        ["symbol", "Q"],
        P={"certificate": constant("5")},
        Q={"certificate": constant("1")},
    )
    report = check(document)
    assert (report.accepted, report.proved, report.given) == (True, 0, 2)
    assert all("given: a constant" in line for line in report.behind)
    assert report.conclusion.endswith("0 proved, 2 given")
    document["values"]["P"] = {"certificate": WINDOW_OPTIMUM}  # 1 <= 0 is false, and 1 is proved
    document["values"]["Q"] = {"certificate": constant("0")}
    report = check(document)
    assert (report.accepted, report.proved, report.given) == (True, 1, 1)
    assert report.behind[0].startswith("P = 1, proved: the optimal value of the joint-chance")


def test_a_certificate_that_rests_on_given_numbers_proves_none() -> None:
    """A constant, wrapped once more, with a value that is given inside."""
    inner = {**constant("5"), "expression": ["symbol", "x"], "values": {"x": {"value": "5"}}}
    document = false_relation(["symbol", "P"], "1", P={"certificate": inner})
    assert not check(document).accepted


def certain_of_nothing(alpha: str) -> Document:
    return {
        **constant("7"),
        "expression": ["symbol", "x"],
        "values": {"x": {"lo": "7", "hi": "7", "alpha": alpha}},
    }


def test_with_alpha_one_nothing_is_proved() -> None:
    step = check(certain_of_nothing("1")).steps[-1]
    assert (step.ok, step.value) == (False, "1")
    report = check(certain_of_nothing("1/20"))
    assert report.enclosure == Enclosure(Fraction(7), Fraction(7), Fraction(1, 20))
    assert "alpha 1/20, 0 proved, 1 given" in report.conclusion


def test_alphas_that_sum_to_one_prove_nothing() -> None:
    """By the union bound x + x holds except with probability 1/2 + 1/2."""
    document = {**certain_of_nothing("1/2"), "lo": "14", "hi": "14"}
    document["expression"] = ["add", ["symbol", "x"], ["symbol", "x"]]
    assert not check(document).accepted


def test_two_hundred_false_documents_are_rejected() -> None:
    """Mutants of certificates of all kinds, each shown false by a program of its own."""
    documents = json.loads(gzip.decompress(FALSE.read_bytes()))
    assert len(documents) == 200
    assert len({document["kind"] for document in documents}) == 9
    assert [i for i, document in enumerate(documents) if check(document).accepted] == []


def test_sixty_true_mutants_are_accepted() -> None:
    """Changes that leave the conclusion true, such as other names of actions, or notes.

    Four are windows on a model with a cost and a budget, which have no part in the conclusion;
    they are rejected as they are, and accepted without these.
    """
    documents = json.loads(gzip.decompress(TRUE.read_bytes()))
    assert len(documents) == 60
    rejected = [document for document in documents if not check(document).accepted]
    assert len(rejected) == 4
    for document in rejected:
        document["model"]["model"] |= {"costs": [], "budgets": []}
        assert check(document).accepted, document


# -- text that must not reach a terminal
def test_escapes_are_shown_as_such(tmp_path: Path, program: Callable[..., Any]) -> None:
    """Cursor movements, a title, a hidden line, new lines that look like accepted steps."""
    text = "x\u001b[2K\r  the optimal value is 7\u001b]0;title\u0007\n  step 9, everything: ok"
    for i, kind in enumerate([text, "\ud800", "\u202e\u2028\x85"]):
        path = tmp_path / f"{i}.json"
        path.write_text(json.dumps({**FORMAT, "kind": kind}))
        done = program(path)
        assert done.code == 4
        assert len(done.out.splitlines()) == 4, "the name, two steps and the outcome"
        assert all(line.isprintable() for line in done.out.splitlines())
    assert "\\x1b[2K\\r" in program(tmp_path / "0.json").out
    assert "\\ud800" in program(tmp_path / "1.json").out


def test_names_of_symbols_and_files_are_shown_as_such(
    tmp_path: Path, program: Callable[..., Any]
) -> None:
    document = false_relation(["symbol", "x\r\x1b[1m"], "0", **{"x\r\x1b[1m": {"value": "1"}})
    path = tmp_path / "a\x1b[1m.json"
    path.write_text(json.dumps(document))
    done = program(path)
    assert done.code == 0
    assert all(line.isprintable() for line in done.out.split("\n"))


# -- documents that would stall whoever checks them
def powers(terms: int, exponent: int, step: int, head: str) -> Document:
    """(3/5)^n, (5/7)^n ... added up, or (3/5)^n times itself again and again."""
    parts = [["pow", f"{3 + step * k}/{5 + step * k}", exponent] for k in range(terms)]
    return false_relation([head, *parts], "0")


def tower(height: int) -> Any:
    expression: Any = "3/5"
    for _ in range(height):
        expression = ["pow", expression, 1000]
    return expression


def large_model(states: int, denominators: bool) -> Document:
    """A chain whose rewards are 1 over different primes: a common denominator of them is long."""
    sieve = [n for n in range(2, 12 * states) if all(n % k for k in range(2, int(n**0.5) + 1))]
    reward = [f"1/{p}" if denominators else "1" for p in sieve[:states]]
    return {
        "kind": "cmdp",
        "n_states": states,
        "choices": [[s, 0] for s in range(states)],
        "transitions": [[[min(s + 1, states - 1), 1]] for s in range(states)],
        "discount": "1/2",
        "reward": reward,
        "costs": [],
        "budgets": [],
        "initial": ["1"] + ["0"] * (states - 1),
    }


def program_with_long_dual(columns: int, long: str) -> Document:
    """max sum of x under sum of x <= 1, with a dual that is far too large."""
    terms = [[j, "1"] for j in range(columns)]
    return {
        **FORMAT,
        "kind": "linear-program-optimum",
        "program": {
            "sense": "max",
            "objective": ["1"] * columns,
            "rows": [{"terms": terms, "relation": "<=", "rhs": "1"}],
        },
        "primal": ["1"] + ["0"] * (columns - 1),
        "dual": [long],
        "value": "1",
    }


GIANT = "0x" + "f" * 200_000
STALLING: dict[str, Document | str] = {
    "product of powers": powers(16, 2**20, 0, "mul"),
    "sum of powers": powers(40, 2**17, 2, "add"),
    "tower of powers": false_relation(tower(3), "0"),
    "many squares": false_relation(["pow", "3/5", 2**20], ["pow", "5/7", 2**20]),
    "exponent 10^30": false_relation(["pow", "3/5", 10**30], "0"),
    "exponent as text": false_relation(["pow", "3/5", "0x" + "f" * 10_000], "0"),
    "long horizon": infeasible(single_state(2**20, [0], "1"), ["0"]),
    "long horizon, many memories": infeasible(single_state(1000, [0], "1/2"), ["0"]),
    "horizon 10^12": infeasible(single_state(10**12, [0], "1"), ["0"]),
    "exponentials of long numbers": false_relation(
        ["add", *[["exp", f"1/{GIANT}"]] * 20], ["exp", f"1/{GIANT}"]
    ),
    "exponentials of large numbers": false_relation(
        ["add", *[["exp", "1000000/7"]] * 200], ["exp", str(2**20)]
    ),
    "logarithms of long numbers": false_relation(["add", *[["log", GIANT]] * 20], "0"),
    "roots of long numbers": false_relation(["add", *[["sqrt", GIANT]] * 50], "0"),
    "comparisons that stay open": false_relation(
        ["sqrt", "2"], ["add", *[["mul", ["sqrt", "2"], ["exp", ["neg", "0"]]]] * 40, "0"]
    ),
    "quotients of long numbers": false_relation(
        ["add", *[["div", "1", f"0x{i:x}" + "f" * 5000] for i in range(1, 40)]], "0"
    ),
    "rationals of 10^6 digits": f'{{"kind": "enclosure", "lo": "{"7" * 10**6}/3"}}',
    "an integer of 10^6 digits": f'{{"kind": {"7" * 10**6}}}',
    "nesting of arrays": "[" * 10**6,
    "nesting of objects": '{"a":' * 10**5,
    "deep expression": false_relation(json.loads('["neg",' * 201 + '"-1"' + "]" * 201), "0"),
    "files of long numbers": {**WINDOW_OPTIMUM, "occupancy": [GIANT] * 20},
    "notes that would bring work": {
        **powers(16, 2**20, 0, "mul"),
        "notes": ["0"] * 500_000,
    },
    "many terms": false_relation(["add", *["1/3"] * 100_000], "1"),
    "many dear terms": false_relation(["add", *[["log", "1/3"]] * 20_000], "1"),
    "a row times a long number": program_with_long_dual(2_000, GIANT),
    "different long denominators": {
        **WINDOW_OPTIMUM,
        "occupancy": [f"1/0x{i:x}" + "f" * 50_000 for i in range(1, 40)],
    },
    "a window of long numbers": infeasible(
        {**single_state(500, [0], "1/2"), "level": "1/" + GIANT, "charge": "1/" + GIANT}, ["0"]
    ),
    "a long discount": infeasible(
        {**large_model(100, False), "discount": "1/" + GIANT, "reward": [GIANT] * 10 + ["1"] * 90},
        ["0x" + "f" * 20_000] * 100,
    ),
    "states 10^12": infeasible({**large_model(2, False), "n_states": 10**12}, ["0", "0"]),
    "not UTF-8": "\udcff\udcfe",
    "a byte of zero": "\0" * 1000,
}


KERNEL = Path(__file__).parents[2] / "verify" / "kernel" / "__main__.py"


@pytest.fixture
def program(measured: Callable[..., Any]) -> Callable[..., Any]:
    """Runs the kernel by its path, as the command and the guide do."""
    return lambda *files: measured(sys.executable, "-I", "-S", KERNEL, *files)


@pytest.mark.parametrize("name", STALLING)
def test_work_is_bounded_before_it_is_done(
    name: str, tmp_path: Path, program: Callable[..., Any]
) -> None:
    document, path = STALLING[name], tmp_path / "document.json"
    text = document if isinstance(document, str) else json.dumps(document)
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    done = program(path)
    assert done.code == 4, done.out[-500:]
    assert done.err == ""
    assert done.seconds < SECONDS
    assert done.megabytes < MEGABYTES
    assert max(map(len, done.out.splitlines())) < 2000


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, program: Callable[..., Any]) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(2**40)
    done = program(path)
    assert (done.code, done.err) == (4, "")
    assert "1099511627776" in done.out
    assert done.megabytes < MEGABYTES


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_never_ends_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not check_file(tmp_path / "pipe").accepted
    assert not check_file("/dev/zero").accepted
    assert not check_file(tmp_path).accepted


def test_honest_large_documents_have_work_enough() -> None:
    """1,000 states with reward 1; the one policy is optimal, and the flow equations solve it.

    V(s) = 1 + V(s')/2 gives V = 2; from state 0 the occupancy of state s < 999 is 2^-s, and the
    last state has the rest of 1/(1 - 1/2) = 2, which is 2^-998.
    """
    states = 1000
    document = {
        **FORMAT,
        "kind": "cmdp-optimum",
        "model": large_model(states, False),
        "occupancy": [f"1/{2**s:#x}" for s in range(states - 1)] + [f"1/{2 ** (states - 2):#x}"],
        "values": ["2"] * states,
        "multipliers": [],
        "value": "2",
    }
    report = check(document)
    assert report.accepted, report.steps[-1]
    assert report.enclosure == Enclosure.exact(2)
