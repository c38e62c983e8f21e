"""Files of models that a stranger might send: refused at once with place, value and remedy."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers import ModelError, load, read_prism, save
from holdfast.solvers.models.formats.numpy_files import read_array
from holdfast.solvers.strict import DIGITS, parse_rational

MODEL = {
    "kind": "cmdp",
    "n_states": 2,
    "choices": [[0, 0], [0, 1], [1, 0]],
    "transitions": [[[0, 1], [1, 1]], [[1, 1]], [[0, 1]]],
    "discount": "1/2",
    "reward": ["1", "2", "0"],
    "costs": [["1", "0", "0"]],
    "budgets": ["1"],
    "initial": ["1", "0"],
}
LONG = "9" * 5000
DOCUMENTS = {
    "large action": ({"choices": [[0, 2**70], [0, 1], [1, 0]]}, r"choices\[0\] has action '1180"),
    "action as text": ({"choices": [[0, "a"], [0, "b"], [1, "c"]]}, r"choices\[0\] has action 'a'"),
    "budget": ({"budgets": ["1e9999999999"]}, r"budgets\[0\] is '1e9999999999'; .* exponent"),
    "discount": ({"discount": "1e-9999999999"}, "discount is '1e-9999999999'; .* exponent"),
    "reward": ({"reward": ["1e9999999999", 2, 0]}, r"reward\[0\] is '1e9999999999'"),
    "tiny reward": ({"reward": ["1e-9999999999", 2, 0]}, r"reward\[0\] is '1e-9999999999'"),
    "digits": ({"reward": [LONG, 2, 0]}, r"reward\[0\] is '9{60}'... \(5000 .* hexadecimal"),
    "other digits": (
        {"reward": ["\u0667/\u0662", 2, 0]},
        r"reward\[0\] is .* in the digits 0 to 9",
    ),
    "underscore": ({"reward": ["1_0", 2, 0]}, r"reward\[0\] is '1_0', not a rational"),
    "spaces": ({"reward": [" 3 ", 2, 0]}, r"reward\[0\] is ' 3 ', not a rational"),
    "notes": ({"notes": 5}, "notes is '5'; it must be a list"),
    "note": ({"notes": [5]}, r"notes\[0\] is '5'; notes are texts"),
    "states": ({"n_states": 10**9}, "n_states is 1000000000 and there are 3 choices"),
    "more states": ({"n_states": 10**12}, "n_states is 1000000000000 and there are 3 choices"),
    "no transitions": ({"transitions": None}, "transitions is 'None'; it must be a list"),
    "triple": ({"transitions": [[[0, 1, 5]], [[1, 1]], [[0, 1]]]}, r"transitions\[0\]\[0\] is"),
    "unknown": ({"gamma": "0.99"}, "has the key 'gamma', which means nothing here"),
    "annotations": ({"labels": []}, r"labels is \[\]"),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_documents(tmp_path, case):
    changed, message = DOCUMENTS[case]
    path = tmp_path / "model.json"
    path.write_text(json.dumps(MODEL | changed))
    with pytest.raises(ModelError, match=f"model.json: .*{message}"):
        load(path)


def test_the_document_that_is_changed_is_right(tmp_path):
    for notes in ["\x1b[2J accepted by the kernel\a", "[/foo] [bold red]x[/bold red]", "\ud800"]:
        (tmp_path / "model.json").write_text(json.dumps(MODEL | {"notes": [notes]}))
        assert load(tmp_path / "model.json").n_states == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"discount": "1/2", "discount": "9/10"}', "has the key 'discount' twice"),
        ('{"n_states": NaN}', "holds NaN"),
        ('{"n_states": ' + LONG + "}", r"5000 characters"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_json(tmp_path, text, message):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(ModelError, match=f"model.json {message}|{message}"):
        load(tmp_path / "model.json")


def test_denominators_that_multiply(tmp_path):
    """Forty thousand rewards over as many large coprime denominators are no model."""
    n = 40_000
    document = MODEL | {
        "choices": [[0, k] for k in range(n)] + [[1, 0]],
        "transitions": [[[1, 1]]] * (n + 1),
        "reward": [f"1/{(1 << 64) + 2 * k + 1}" for k in range(n)] + [0],
        "costs": [],
        "budgets": [],
    }
    (tmp_path / "model.json").write_text(json.dumps(document))
    since = time.perf_counter()
    with pytest.raises(ModelError, match="reward has 40001 numbers whose common denominator"):
        load(tmp_path / "model.json")
    assert time.perf_counter() - since < 10


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("3", True), ("-3/4", True), ("+0.75", True), (".5", True), ("5.", True),
        ("7.5e-1", True), ("0xff/0x100", True), (f"1e{DIGITS}", True), ("9" * DIGITS, True),
        ("", False), (".", False), ("1/0", False), ("0x", False), ("1/-2", False), ("inf", False),
        ("1 /2", False), ("1e", False), (f"1e{DIGITS + 1}", False), ("1e\u0663", False),
        ("9" * (DIGITS + 1), False), ("1e" + LONG, False), ("1\n", False),
    ],
)  # fmt: skip
def test_rationals(text, right):
    if right:
        assert parse_rational(text, "it").denominator
        return
    with pytest.raises(ValueError, match="it is "):
        parse_rational(text, "it")


# -- archives
def header(shape: str, descr: str = "'<i8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.fixture
def archive(tmp_path):
    """Writes the model's archive with one member replaced; returns its path."""
    (tmp_path / "model.json").write_text(json.dumps(MODEL))
    good = save(load(tmp_path / "model.json"), tmp_path / "good.npz")

    def write(name: str, content: bytes) -> Path:
        path = tmp_path / "bad.npz"
        with (
            zipfile.ZipFile(good) as source,
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            for member in source.namelist():
                if member != f"{name}.npy":
                    target.writestr(member, source.read(member))
            target.writestr(f"{name}.npy", content)
        return path

    return write


def array_bytes(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("reward", header("(1000000000000,)"), "bad.npz, reward.npy: the header is for shape"),
        ("reward", header("(" + "9" * 30 + ",)"), "the header is for shape"),
        ("reward", header("(-3,)"), "the header is for shape"),
        ("reward", header("__import__('os').system('true')"), "bad.npz is corrupted"),
        ("reward", array_bytes(np.array([print], dtype=object)), "never unpacked"),
        ("annotations", array_bytes(np.array("[]")), "annotations are .* must be a JSON object"),
        ("notes", array_bytes(np.array("x")), r"notes has shape \(\)"),
        ("other", array_bytes(np.array(1)), "holds 'other'"),
        ("budgets", array_bytes(np.array(["1e9999999999"])), r"budgets\[0\] is '1e9999999999'"),
        ("reward", array_bytes(np.zeros(30_000_000, np.int8)), r"\(30000000,\)|reward has shape"),
    ],
)
def test_archives(archive, name, content, message):
    with pytest.raises(ModelError, match=message):
        load(archive(name, content))


def test_an_archive_that_unpacks_to_gigabytes(archive, tmp_path):
    path = archive("reward", header("(200000000,)", "'|i1'") + bytes(200_000_000))
    with pytest.raises(ModelError, match=r"unpacks to .* more than 100 times its size"):
        load(path)
    (tmp_path / "no.npz").write_bytes(b"PK\x03\x04x")
    with pytest.raises(ModelError, match="corrupted or no file of numpy arrays"):
        load(tmp_path / "no.npz")
    (tmp_path / "cost.npy").write_bytes(header("(1000000000000,)"))
    with pytest.raises(ModelError, match=r"cost.npy: the header is for shape"):
        read_array(tmp_path / "cost.npy")


# -- PRISM
@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"tra": "1000000000 1\n0 0 1\n", "srew": "1000000000 0\n"},
         "line 1: the header promises 1000000000 states, of which 1 have a choice"),
        ({"tra": f"{LONG} 2 2\n0 0 1 1\n"}, "line 1: the header is '999"),
        ({"tra": f"2 2 2\n{LONG} 0 1 1\n1 0 0 1\n"}, "line 2: the state is '999"),
        ({"tra": "2 2 2\n0 0 1 1\n1 0 0 1\n", "lab": f'{LONG}="init"\n0: 0\n'}, "line 1: cannot"),
        ({"tra": "2 2 2\n0 0 1 1e99999\n1 0 0 1\n"}, "line 2: the probability is '1e99999'"),
        ({"tra": "2 2 2\n0 0 1 \u0661\n1 0 0 1\n"}, "line 2: the probability is"),
        ({"tra": "2 2 2\n0 0 1 1\n1 0 0 1" + "0" * 2**22}, "line 3: the line has"),
        ({"tra": "# Transitions (CTMC)\n2 2\n0 1 1\n1 1 1\n"}, "line 1: the file holds a CTMC"),
    ],
)  # fmt: skip
def test_prism_files(tmp_path, files, message):
    for suffix, text in ({"srew": "2 0\n"} | files).items():
        (tmp_path / f"m.{suffix}").write_text(text)
    with pytest.raises(ModelError, match=message):
        read_prism(tmp_path / "m.tra", discount="1/2")


def test_names_with_markup_are_names(tmp_path):
    (tmp_path / "m.tra").write_text("2 2 2\n0 0 1 1 [/b]\n1 0 0 1 x\n")
    (tmp_path / "m.srew").write_text("2 1\n0 1\n")
    (tmp_path / "m.lab").write_text('0="init" 1="deadlock" 2="unsafe"\n0: 0\n1: 2\n')
    model = read_prism(tmp_path / "m.tra", discount="1/2")
    assert "actions: 0 [/b], 1 x" in model.notes


def test_the_command_says_so_at_once(tmp_path, holdfast):
    """In a process of its own, within the memory that a stranger's file may take."""
    (tmp_path / "m.json").write_text(json.dumps(MODEL | {"reward": ["1e9999999999", 2, 0]}))
    done = holdfast("solve", "m.json")
    assert done.code == 64, done.err
    assert "m.json" in done.err
    assert "Traceback" not in done.err
    assert done.megabytes < 200
