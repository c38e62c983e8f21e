"""Appendices in LaTeX: escaped, balanced, no more than was seen; compiled where LaTeX is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from holdfast.theory import catalogue
from holdfast.verify import verify
from holdfast.verify.report.exports.latex import CAUTION, escaped, histogram, latex
from holdfast.verify.search.refutations import with_counterexamples

from ..conftest import Invoke

COMMANDS = {
    "textbf", "texttt", "item", "begin", "end", "subsection", "footnotesize", "centering",
    "includegraphics", "caption", "textbackslash", "textasciicircum", "textasciitilde", "textless",
    "textgreater", "textbar", "textquotedbl", "emph",
}  # fmt: skip
HOSTILE = '100% of $x_1 & \\input{/etc/passwd} ^ ~ # {a} <b> | "c" \u03b3 \x1b[31m\nnew'
FALSE = """
from fractions import Fraction
from holdfast.theory import Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import Family, claim
x = Quantity("x_1", "100% of a & b")
wrong = Theorem(label="mine/wrong_one", title="Less than 3 #1", relation=Le(x, 3),
                source=Source("a_draft", "", Provenance.DERIVED))
numbers = Family("numbers", lambda draw: Fraction(draw.integer(0, 9)))
@claim(wrong, over=numbers)
def check(number):
    yield {x: number}
"""


def unescaped_text(text: str) -> str:
    """A file without comments, formulas and verbatim blocks; names that LaTeX takes as they are."""
    text = re.sub(r"(?m)^% .*$", "", text)
    text = re.sub(r"(?s)\\\[.*?\\\]|\\begin{verbatim}.*?\\end{verbatim}", "", text)
    return re.sub(r"\\includegraphics{[\w.-]+}|item \$.*?\$:", "item", text)


def check_structure(text: str) -> None:
    """Environments and braces are balanced, and no special character is bare."""
    stack: list[str] = []
    outside = re.sub(r"(?s)\\begin{verbatim}.*?\\end{verbatim}", "", text)
    for kind, name in re.findall(r"\\(begin|end){(\w+\*?)}", outside):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    plain = unescaped_text(text)
    assert set(re.findall(r"\\([a-zA-Z]+)", plain)) <= COMMANDS
    bare = re.sub(r"\\[{}$&#%_]", "", plain)
    assert not re.search(r"[$&#%_^~<>|]", bare)
    assert bare.count("{") == bare.count("}")
    assert all(one.isprintable() or one == "\n" for one in text)


def test_every_special_character_is_escaped() -> None:
    text = escaped(HOSTILE)
    check_structure(text)
    assert r"\textbackslash{}input\{/etc/passwd\}" in text and "[U+03B3]" in text
    assert "[U+001B][31m new" in text
    with pytest.raises(AssertionError):
        check_structure(HOSTILE)  # the control


def test_all_titles_and_sources_of_the_catalogue_are_escaped() -> None:
    for theorem in catalogue():
        for text in (theorem.title, str(theorem.source), theorem.remark):
            check_structure(escaped(text))


def test_the_appendix_says_what_was_seen_and_no_more() -> None:
    (one,) = verify("cmdp/multiplier-bound", budget=20).claims
    text = latex(one, "holdfast verify cmdp/multiplier-bound --budget 20 --seed 0", None)
    check_structure(text)
    assert f"on {one.models} models" in text and "at grade exact" in text
    assert CAUTION in text and "Counterexample" not in text
    assert "proved" not in text.replace("no proof", "")
    assert r"\textbf{Standing.} Stands." in text
    assert one.claim.theorem.statement_latex() in text


def test_a_false_statement_shows_its_counterexample_and_figure(holdfast: Invoke) -> None:
    Path("mine_claims.py").write_text(FALSE)
    done = holdfast("report", "mine_claims.py", "--latex", "a_1.tex", "--budget", "30")
    assert done.code == 1 and done.says("wrote a_1.tex", "wrote a_1.pdf")
    text = Path("a_1.tex").read_text()
    check_structure(text)
    assert "VIOLATED: false in" in text and r"\texttt{mine/wrong\_one}" in text
    assert r"100\% of a \& b" in text and r"\includegraphics{a_1.pdf}" in text
    assert "left side: 4" in text and "Its certificate, which the kernel accepts" in text
    assert Path("a_1.pdf").read_bytes().startswith(b"%PDF")


def test_a_statement_without_slack_has_no_figure(tmp_path: Path) -> None:
    (one,) = verify("cmdp/strong-duality", budget=5).claims
    assert not histogram(one, tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cmdp/multiplier-bound", "--latex", "a.txt"], "is to end in .tex"),
        (["cmdp/multiplier-bound", "--latex", "a b.tex"], "letters, digits, dots"),
        (["cmdp/multiplier-bound", "--latex", "no/a.tex"], "there is no folder"),
        (["cmdp/multiplier-bound"], "Missing option '--latex'"),
        (["cmdp/multiplier-bound", "--latex", "a.tex", "--budget", "60s"], "not a whole number"),
        (["covariance/trick#neural", "--latex", "a.tex"], "is about trained networks"),
        (["cmdp", "--latex", "a.tex"], "matches 41 claims"),
    ],
)
def test_what_cannot_be_reported_is_refused(holdfast: Invoke, words: list[str], said: str) -> None:
    done = holdfast("report", *words)
    assert done.code == 64 and done.says(said)
    assert not list(Path().iterdir())


def test_the_packages_of_the_first_line_can_be_copied(holdfast: Invoke) -> None:
    Path("mine_claims.py").write_text(FALSE.replace("wrong_one", "wrong_three"))
    holdfast("report", "mine_claims.py", "--latex", "a.tex", "--budget", "5")
    first = Path("a.tex").read_text().splitlines()[0]
    assert re.fullmatch(r"% needs: (\\usepackage(\[\w+\])?\{[\w,]+\})+", first)


def test_a_refuted_statement_is_called_so_with_what_its_source_prints() -> None:
    """And no line of a verbatim block, which LaTeX does not break, is wider than the page."""
    run = with_counterexamples(verify("guarded/esrl-comparator", budget=1), None)
    (one,) = run.claims
    text = latex(one, "holdfast verify", run.counterexample(one))
    check_structure(text)
    refutation = one.claim.theorem.refutation
    assert refutation is not None
    for told in (refutation.fidelity, refutation.severity, refutation.printed[0].met):
        assert escaped(told) in text
    (block,) = re.findall(r"(?s)begin{verbatim}\n(.*?)\n\\end", text)
    assert len(block) > 500 and all(len(line) <= 76 for line in block.splitlines())
    assert "accepts its certificate, which was not written" in text


@pytest.mark.slow
def test_it_compiles_where_latex_is_installed(holdfast: Invoke) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("pdflatex is not installed")
    Path("mine_claims.py").write_text(FALSE.replace("wrong_one", "wrong_two"))
    for number, label in enumerate(["mine_claims.py", "flipping/two-actions", "designs/violation"]):
        done = holdfast("report", label, "--latex", f"a{number}.tex", "--budget", "10")
        assert done.says(f"wrote a{number}.tex")
        Path("main.tex").write_text(
            "\\documentclass{article}\\usepackage{amsmath,amssymb,graphicx}\\usepackage[T1]{fontenc}"
            f"\\begin{{document}}\\input{{a{number}}}\\end{{document}}"
        )
        command = [program, "-halt-on-error", "-interaction=nonstopmode", "main.tex"]
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        assert made.returncode == 0, (label, made.stdout)
