"""The notebooks, each executed from a clean kernel; they are stored without outputs."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
SECONDS_A_CELL = 300

MOVE_EVERY_CONTROL = """\
from ipywidgets import interactive
from ipywidgets.widgets.widget import _instances
moved = 0
for box in [one for one in list(_instances.values()) if isinstance(one, interactive)]:
    start = {control._kwarg: control.value for control in box.kwargs_widgets}
    for control in box.kwargs_widgets:
        if hasattr(control, "options"):
            values = [control.options[k] for k in (0, len(control.options) // 2, -1)]
        else:
            values = [control.min, (control.min + control.max) / 2, control.max]
            if hasattr(control, "base"):
                values = [control.base**value for value in values]
        for value in values:
            box.f(**{**start, control._kwarg: type(control.value)(value)})
        moved += 1
print(f"{moved} controls moved")
"""
"""Calls the function behind each control, whose errors are then raised, with the least, a middle
and the greatest value of it; sets `moved`."""

TURN_EVERY_CONTROL = """\
for twelfths in range(-6, 37, 6):
    at_budget(twelfths)
for what in CORRUPTIONS:
    doubt(what)
for label in ("cmdp/infeasibility", "concentration/hoeffding#simulated"):
    look_at(label)
assert leak(60) < 1
print("all controls turned")
"""


def execute(
    path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch, *more: str
) -> dict[str, Any]:
    """The notebook after execution, with further cells of code at its end."""
    import nbformat  # loads for 6 s, which collecting the tests does not need
    from nbclient import NotebookClient

    monkeypatch.setenv("IPYTHONDIR", str(directory / "ipython"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    monkeypatch.setenv("MPLCONFIGDIR", str(directory / "matplotlib"))
    notebook = nbformat.read(path, as_version=4)
    more = (*more, MOVE_EVERY_CONTROL)
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in more]
    where = {"metadata": {"path": str(directory)}}
    client = NotebookClient(
        notebook, timeout=SECONDS_A_CELL, kernel_name="python3", resources=where
    )
    # Outputs of controls then go to their cells.  Redirecting them, nbclient sends messages on the
    # socket on which it waits for the reply of the cell, and now and then misses that reply.
    client.widget_registry = {}
    client.execute()  # raises CellExecutionError at the first cell that fails
    return notebook


def outputs(notebook: Any) -> Iterator[Any]:
    for cell in notebook.cells:
        yield from cell.get("outputs", ())


def text(notebook: Any) -> str:
    return "".join(out["text"] for out in outputs(notebook) if out["output_type"] == "stream")


def edited_hunch(path: Path) -> str:
    """The cell that states the hunch, weakened by its reader from twice to a thousand times."""
    sources = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]
    source = next(source for source in sources if 'label="mine/doubling"' in source)
    return source.replace("2 * v)", "1000 * v)").replace("false on", "edited, false on")


@pytest.fixture(scope="module")
def overview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path = next(path for path in NOTEBOOKS if path.stem == "overview")
    with pytest.MonkeyPatch.context() as monkeypatch:
        directory = tmp_path_factory.mktemp("overview")
        yield execute(path, directory, monkeypatch, TURN_EVERY_CONTROL, edited_hunch(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    kept = [cell["id"] for cell in cells if cell.get("outputs") or cell.get("execution_count")]
    assert kept == [], f"clear the outputs of these cells of {path.name}: {kept}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_a_valid_form(path: Path) -> None:
    import nbformat

    nbformat.validate(nbformat.read(path, as_version=4), relax_add_props=False)


@pytest.mark.slow
def test_the_overview_fails_nowhere_not_even_inside_its_controls(overview: Any) -> None:
    """An error inside a control is printed there and stops nothing, so it must be looked for."""
    failed = [out["ename"] for out in outputs(overview) if out["output_type"] == "error"]
    assert failed == []
    assert "all controls turned" in text(overview)


@pytest.mark.slow
def test_the_overview_draws_its_controls(overview: Any) -> None:
    states = overview.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    models = [widget["model_name"] for widget in states.values()]
    assert models.count("IntSliderModel") == 2
    assert models.count("DropdownModel") == 2
    assert any(out["output_type"] == "display_data" for out in outputs(overview))


@pytest.mark.slow
@pytest.mark.parametrize(
    "result",
    [
        "d = 3/2: v = 7/2, multiplier 1, all optimal ones are in [1, 1]",  # as landmarks.g1 derives
        "corner at d = 1, v = 3: multipliers from 1 to 5/3",
        "d = -1/2: infeasible, raise the budget by at least 1/2",
        "accepted of 7: the one in which nothing was changed",
        "FAILED",
        "TIGHT on 202 models",
        "VIOLATED: false on",
        "mine/doubling, violated: v_double <= 2*v",
        "VIOLATED: edited, false on",  # the cell may be changed and run again
        "2 values given, 0 proved",
        "model-based/simulation-bound, not refuted",
        "p = 2^-4: error 2/17, bound 1/8, ratio 16/17",  # gamma = 1/2: 2p/(1 + p) below 2p
        "4 controls moved",
    ],
)
def test_the_overview_prints(overview: Any, result: str) -> None:
    assert result in text(overview)


def test_an_error_inside_a_control_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat
    from nbclient.exceptions import CellExecutionError

    path = tmp_path / "faulty.ipynb"
    source = "from ipywidgets import interact\ninteract(lambda n: 1 / n, n=(0, 0))"
    cells = [nbformat.v4.new_code_cell(source)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(path, tmp_path, monkeypatch)


def executed(name: str, turned: str, factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The notebook of that name with one more cell, in a folder of its own."""
    path = next(path for path in NOTEBOOKS if path.stem == name)
    with pytest.MonkeyPatch.context() as monkeypatch:
        return execute(path, factory.mktemp(name), monkeypatch, turned)


@pytest.fixture(scope="module")
def chance(tmp_path_factory: pytest.TempPathFactory) -> Any:
    turned = "for percent in range(0, 60, 10):\n    at_level(percent)\nprint('all levels turned')\n"
    return executed("chance", turned, tmp_path_factory)


@pytest.mark.parametrize(
    "result",
    [
        "optimal value at level 1/4: 2419/400",  # derived in tests/verify/chance/test_cli_chance.py
        "the kernel says: the optimal value of the joint-chance window (3 decisions",
        ") is 2419/400\n",
        "{1: '11/16', 0: '5/16'}",
        "191/50",
        "3826/525",
        "level 17/100: 95.9886",
        "at every step: return 1/2, risk 1/2",  # either side, then the wrong one half the time
        "optimum:                   10/9",  # as window_landmarks.ce1 derives
        "best with two actions:     1",
        "the program in x promises: 6/5",
        "all levels turned",
        "1 controls moved",
    ],
)
def test_the_notebook_on_chance_constraints_prints(chance: Any, result: str) -> None:
    assert [out["ename"] for out in outputs(chance) if out["output_type"] == "error"] == []
    assert result in text(chance)


@pytest.fixture(scope="module")
def flips(tmp_path_factory: pytest.TempPathFactory) -> Any:
    turned = "for percent in range(-100, 101, 50):\n    corrupted(percent)\nprint('all tried')\n"
    return executed("poisoning", turned, tmp_path_factory)


@pytest.mark.parametrize(
    "result",
    [
        # (3, 1) = 5/6 (2, 0) + 1/3 (4, 3), and y = (1/2, -1/3) proves 3/2 - 1/3 = 7/6
        "the attack flips 2 labels; expected flips that are enough: 7/6",
        "the kernel says: the optimal value of the linear program (",
        ") is -7/6\n",
        "moments agree: True",
        "N/n =  1: between 1.000000 and 1.000000",
        "proved necessary: ",
        "moments: 1/2",
        "all tried",
        "1 controls moved",
    ],
)
def test_the_notebook_on_label_flips_prints(flips: Any, result: str) -> None:
    assert [out["ename"] for out in outputs(flips) if out["output_type"] == "error"] == []
    assert result in text(flips)


@pytest.fixture(scope="module")
def knob(tmp_path_factory: pytest.TempPathFactory) -> Any:
    turned = """\
for evaluations in range(0, 41, 20):
    at_evaluation(evaluations)
for method in ("stageopt", "safeopt", "goose"):
    at_evaluation(20, method)
before_anything(-1.0, 2.0)
print("all turned")
"""
    return executed("target_returns", turned, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize(
    "result",
    [
        "Target 0 is a seed, whose cost is promised to be at most the limit 0.5.",
        "All 25 evaluations are made.",
        # alpha_1 = sqrt(2 log(41 pi^2 / (6 * 0.05))) = 3.8, and 3.8 deviations of 0.1 are below 1/2
        "mean 0, deviation 0.1: 40 of 40 certified by the prior alone,\nof which 12 are unsafe",
        "goose, 20 evaluations: ",
        "all turned",
        "4 controls moved",
    ],
)
def test_the_notebook_on_target_returns_prints(knob: Any, result: str) -> None:
    assert [out["ename"] for out in outputs(knob) if out["output_type"] == "error"] == []
    assert result in text(knob)


@pytest.mark.slow
def test_no_safe_method_of_the_notebook_tries_what_is_unsafe(knob: Any) -> None:
    tried = [line for line in text(knob).splitlines() if "evaluations:" in line]
    assert len(tried) >= 7
    assert all(line.endswith(" 0 unsafe tried") for line in tried)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Any:
    turned = """\
cost(1.2, 1.0)
cost(0.01, 6.0)
estimated(0.2, 20)
population(0.0, 100)
population(1.2, 1000)
print("all turned")
"""
    return executed("relative_budget", turned, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize(
    "result",
    [
        "truth 0.30, ",
        " of 100 intervals hold the truth",
        # of an exponential law at xi = 20: sqrt(1.2) deviations above the mean lies beyond H
        "No trajectory is sqrt(kappa) = 1.095 deviations better than the mean reward",
        "infinite: 0.00 (0.00 to 0.00)",
        "all turned",
        "7 controls moved",
    ],
)
def test_the_notebook_on_relative_budgets_prints(tokens: Any, result: str) -> None:
    assert [out["ename"] for out in outputs(tokens) if out["output_type"] == "error"] == []
    assert result in text(tokens)


@pytest.mark.slow
def test_the_obvious_estimate_of_the_notebook_is_never_below_one(tokens: Any) -> None:
    lines = [line for line in text(tokens).splitlines() if "from solved rollouts alone" in line]
    assert len(lines) >= 5
    assert all(float(line.split()[-1]) >= 1 for line in lines)


@pytest.fixture(scope="module")
def leader(tmp_path_factory: pytest.TempPathFactory) -> Any:
    turned = """\
slope(0.1, 2)
slope(0.98)
estimated("hpgd-mc", 1, 0.2)
climbed(0.5, 1)
bonus(10.0)
print("all turned")
"""
    return executed("hypergradient", turned, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize(
    "result",
    [
        # games/toy-one and games/toy-two: 34.99 at p = .166 and 39.94 at p = .503
        "reward 1: best 34.99, at p = 0.165 of the grid",
        "reward 2: best 39.94, at p = 0.505 of the grid",
        "reward 1, p = 0.500: return 0.62, slope -17.354",
        "exact: 0.62 to 34.99",
        "all turned",
        "8 controls moved",
    ],
)
def test_the_notebook_on_hypergradients_prints(leader: Any, result: str) -> None:
    assert [out["ename"] for out in outputs(leader) if out["output_type"] == "error"] == []
    assert result in text(leader)


@pytest.mark.slow
def test_the_estimates_of_the_notebook_are_near_and_the_direct_part_is_not(leader: Any) -> None:
    words = [line.split() for line in text(leader).splitlines() if "   exact" in line]
    gaps = {name: abs(float(mean) - float(exact)) / float(error)
            for name, mean, _, error, _, exact in words[:4]}  # fmt: skip
    assert gaps["bc-hg"] < 4  # standard errors
    assert gaps["naive"] > 1000


@pytest.fixture(scope="module")
def aligned(tmp_path_factory: pytest.TempPathFactory) -> Any:
    turned = """\
aligned(0.05, 2.0)
for size in (2, 8):
    update(size)
best(32)
print("all turned")
"""
    return executed("alignment", turned, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize(
    "result",
    [
        "beta again 0.000",  # lambda = 1: the wrong weight is the right one
        "G = 4, own mean: over the gradient 0.7500 to 0.7500",  # 1 - 1/4
        "G = 4, leave one out: over the gradient 1.0000 to 1.0000",
        "n = 2: reward 0.600, divergence 0.1766, at most 0.1931",  # log 2 - 1/2
        "G = 8, own mean: over the gradient 0.8750 to 0.8750",
        "all turned",
        "7 controls moved",
    ],
)
def test_the_notebook_on_alignment_prints(aligned: Any, result: str) -> None:
    assert [out["ename"] for out in outputs(aligned) if out["output_type"] == "error"] == []
    assert result in text(aligned)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Any:
    turned = """\
certified(100_000, 3)
improved(10.0, 2.0, 1)
course(0.0, 0.5, 3.0)
course(30.0)
ranked(3, 1.0, 4)
print("all turned")
"""
    return executed("offline", turned, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize(
    "result",
    [
        "optimum 4.868, the writer 4.388",
        # a pair of complex eigenvalues contracts by sqrt(1 - eta (a + K_P)), see pid/discrete
        "K_P 2, K_I 0.5, K_D 0: STABLE, largest modulus 0.8660",
        "K_P 25, K_I 0.5, K_D 0: UNSTABLE",
        "all turned",
        "13 controls moved",
    ],
)
def test_the_notebook_on_logs_prints(logged: Any, result: str) -> None:
    assert [out["ename"] for out in outputs(logged) if out["output_type"] == "error"] == []
    assert result in text(logged)


@pytest.mark.slow
def test_what_the_notebook_certifies_is_on_the_right_side_of_the_truth(logged: Any) -> None:
    words = [line.split() for line in text(logged).splitlines() if "certified: " in line]
    pairs = {(w[1], float(w[4].rstrip(",")), float(w[-1])) for w in words}
    assert len(pairs) >= 6
    assert all(low <= true for name, low, true in pairs if name == "return")
    assert all(high >= true for name, high, true in pairs if name == "cost")


@pytest.mark.parametrize(("shown", "written"), [("print(6 * n)", True), ("1 / (n - 7)", False)])
def test_pages_hold_what_controls_show_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, written: bool
) -> None:
    import nbformat

    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "docs" / "_ext")
    pages = import_module("notebook_pages")
    source = f"from ipywidgets import interact\ninteract(lambda n: {shown}, n=(7, 7));"
    cells = [nbformat.v4.new_code_cell(source)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "short.ipynb")
    if written:
        pages.write(tmp_path / "short.ipynb", tmp_path / "short.md")
        text = (tmp_path / "short.md").read_text()
        assert "    42\n" in text
        assert "interactive(" not in text
    else:
        with pytest.raises(Exception, match="ZeroDivisionError"):
            pages.write(tmp_path / "short.ipynb", tmp_path / "short.md")
        assert not (tmp_path / "short.md").exists()
