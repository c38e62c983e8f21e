"""``holdfast new theorem``: what it writes runs as it is, and nothing is overwritten."""

import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

from holdfast.verify import verify

from ..conftest import Invoke


def test_the_claims_hold_and_their_mutants_are_killed(holdfast: Invoke) -> None:
    done = holdfast("new", "theorem", "slater-slack")
    assert done.code == 0
    names = sorted(path.name for path in Path().iterdir())
    assert names == ["slater_slack.ipynb", "slater_slack_claims.py", "test_slater_slack.py"]
    assert done.says("wrote slater_slack_claims.py", "try: pytest test_slater_slack.py")
    found = verify("slater_slack_claims.py", budget=50)
    (one,) = found.claims
    assert found.exit_code == 0 and one.claim.name == "mine/slater-slack"
    assert len(one.killed) == 2 and one.share > 0


@pytest.mark.slow
def test_the_test_passes_and_fails_with_a_false_statement(holdfast: Invoke) -> None:
    holdfast("new", "theorem", "toy", "--folder", "sub")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "sub"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    claims = Path("sub/toy_claims.py")
    claims.write_text(claims.read_text().replace("Le(v, richer)", "Le(richer, v)"))
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1


@pytest.mark.slow
def test_the_notebook_executes_and_shows_the_verdict(holdfast: Invoke) -> None:
    holdfast("new", "theorem", "toy")
    notebook = nbformat.read("toy.ipynb", 4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(notebook, timeout=300).execute()
    assert "mine/toy" in str(notebook.cells[1].outputs)


@pytest.mark.parametrize("file", ["toy_claims.py", "test_toy.py", "toy.ipynb"])
def test_nothing_is_overwritten(holdfast: Invoke, file: str) -> None:
    Path(file).write_text("mine")
    done = holdfast("new", "theorem", "toy")
    assert done.code == 64 and done.says(f"{file} is there, and is not overwritten")
    assert [path.name for path in Path().iterdir()] == [file]
    assert Path(file).read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["A", "a b", "../a", "a--b", "1a", "-a-", "a_b", "", "a" * 41, "ä"]
)
def test_names_that_are_no_labels_are_refused(holdfast: Invoke, name: str) -> None:
    done = holdfast("new", "theorem", "--", name)
    assert done.code == 64 and done.says("is to be small letters, digits and single hyphens")
    assert not list(Path().iterdir())


def test_a_folder_that_cannot_be_made_is_refused(holdfast: Invoke) -> None:
    Path("file").write_text("mine")
    done = holdfast("new", "theorem", "toy", "--folder", "file")
    assert done.code == 64 and done.says("cannot be made")
