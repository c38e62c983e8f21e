"""``export``, and ``solve`` on PRISM's explicit files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.solvers import load, read_prism, save, solve, write_prism
from holdfast.solvers.models.formats.prism.writer import prism_paths
from holdfast.verify.cmdp import landmarks

from ..conftest import Invoke


@pytest.fixture
def holdfast(in_process: Invoke) -> Callable[..., tuple[int, str]]:
    """The exit code of a command and all it printed, on one line."""

    def invoke(*arguments: object) -> tuple[int, str]:
        done = in_process(*arguments)
        return done.code, done.flat

    return invoke


@pytest.fixture
def g1(tmp_path: Path) -> Path:
    return save(landmarks.g1(), tmp_path / "g1.json")


def test_export_as_sink_and_solve_again(holdfast, g1: Path) -> None:
    model = landmarks.g1()
    code, said = holdfast("export", g1, "--to", "out.tra", "--discount-as-sink")
    assert code == 0
    assert said.startswith("out.tra out.lab out.srew out.trew out.cost1.srew out.cost1.trew")
    assert f'query: multi(R{{"reward"}}max=? [C], R{{"cost1"}}<={model.budgets[0]} [C])' in said
    assert f"back here: holdfast solve out.tra --limit {model.budgets[0]}" in said
    code, said = holdfast("solve", "out.tra", "--limit", model.budgets[0])
    assert code == 0
    assert f"value {solve(model).value} " in said
    assert "note: PRISM explicit files out.tra" in said
    assert holdfast("check", said.rpartition("holdfast check ")[2].split()[0])[0] == 0


def test_export_without_the_discount_says_how_to_give_it(holdfast, g1: Path) -> None:
    model = landmarks.g1()
    code, said = holdfast("export", g1, "--to", "out.tra", "--decimals", "--limit", "5/4")
    assert code == 0
    again = f"out.tra --discount {model.discount} --limit 5/4"
    assert f"discount {model.discount} is not in the files; write holdfast solve {again}" in said
    assert "0.5" in Path("out.tra").read_text()
    code, said = holdfast("solve", *again.split())
    assert (code, f"value {solve(model.with_budgets('5/4')).value} " in said) == (0, True)
    code, said = holdfast("solve", "out.tra")
    assert (code, "out.tra holds no discount" in said) == (64, True)


def test_costs_of_a_prism_model_are_files(holdfast, g1: Path) -> None:
    holdfast("export", g1, "--to", "out.tra")
    code, _ = holdfast("solve", "out.tra", "--discount", "1/2", "--cost", "out", "--limit", 3)
    expected = read_prism("out.tra", discount="1/2", costs=["out"], budgets=[3])
    assert code == 0
    assert expected.cost_vector(0) == landmarks.g1().reward_vector()
    code, said = holdfast("solve", "out.tra", "--discount", "1/2", "--cost", "out")
    assert (code, "1 cost(s) and 0 budget(s) given" in said) == (64, True)


def test_export_to_the_other_formats(holdfast, g1: Path) -> None:
    for name in ("out.json", "out.npz"):
        code, said = holdfast("export", g1, "--to", name)
        assert (code, said.split()[0]) == (0, name)
        assert load(name) == landmarks.g1()


def test_bad_exports_are_named(holdfast, g1: Path) -> None:
    for arguments, message in (
        (("--to", "out.json", "--decimals"), "--decimals is for .tra files; out.json is not one"),
        (("--to", "out.pm"), "the suffix must be .json, .npz or .tra"),
        ((), "Missing option '--to'"),
    ):
        code, said = holdfast("export", g1, *arguments)
        assert (code, message in said) == (64, True), said
    code, said = holdfast("solve", "absent.tra", "--discount", "1/2")
    assert (code, "absent.tra" in said) == (64, True)


@pytest.mark.parametrize("end", ["lab", "srew", "trew", "cost1.srew", "cost1.trew"])
def test_every_file_of_an_export_is_looked_at_before_any_is_written(
    holdfast, g1: Path, end: str
) -> None:
    Path(f"out.{end}").mkdir()
    code, said = holdfast("export", g1, "--to", "out.tra")
    assert code == 64
    assert f"--to: out.{end} is a folder; name a file" in said
    assert sorted(path.name for path in Path().iterdir()) == ["g1.json", f"out.{end}"]


def test_the_files_of_an_export_are_those_that_are_looked_at(tmp_path: Path) -> None:
    model = landmarks.g1()
    written = write_prism(model, tmp_path / "out.tra")
    assert prism_paths(tmp_path / "out.tra", model.n_constraints) == written
