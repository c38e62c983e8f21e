"""A page with numbered lines for each file of the three layers and each test that the book names.

Definitions in the reference get a link [source], as `sphinx.ext.viewcode` makes them; its pages
have no test and no module-level constant, such as a theorem, to link to.
"""

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments import highlight
from pygments.filter import Filter
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.token import Token
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri

from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.report.places import ROOT, Place, places

LAYERS = ("theory", "solvers", "verify")


@cache
def claims() -> dict[str, tuple[Claim, ...]]:
    """Label of a statement -> the claims that check it."""
    found: dict[str, tuple[Claim, ...]] = {}
    for one in shipped():
        found[one.theorem.label] = (*found.get(one.theorem.label, ()), one)
    return found


@cache
def where(label: str) -> tuple[Place, ...]:
    """The places of a theorem."""
    return tuple(places(claims()[label]))


def source_page(file: Path) -> str:
    """The page on which a source file is shown, relative to the root of the documentation."""
    return f"source/{file.relative_to(ROOT).as_posix()}"


@cache
def lines(module: str) -> tuple[Path, dict[str, int]]:
    """The file of a module, and the line of each class and function by its dotted name."""
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    file = Path(found.origin).resolve()
    return file, dict(_defined(ast.parse(file.read_text(encoding="utf-8")), ""))


class _Quiet(Filter):
    """Colours for what helps to find one's way; on punctuation they double the size of a page."""

    def filter(self, lexer: Any, stream: Any) -> Iterator[tuple[Any, str]]:
        del lexer
        coloured = (Token.Keyword, Token.Comment, Token.String, Token.Name.Function)
        for kind, text in stream:
            known = any(kind in one for one in (*coloured, Token.Name.Class))
            yield (kind if known else Token.Text), text


def _defined(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{child.name}", child.lineno
            yield from _defined(child, f"{prefix}{child.name}.")


def add_links(app: Sphinx, doctree: nodes.document) -> None:
    """A link to its source after each signature of the reference."""
    if app.builder.format != "html":
        return
    here = app.builder.get_target_uri(app.env.docname)
    for signature in doctree.findall(addnodes.desc_signature):
        file, known = lines(signature["module"]) if signature.get("module") else (ROOT, {})
        if line := known.get(signature.get("fullname", "")):
            target = f"{relative_uri(here, source_page(file))}.html#L-{line}"
            link = nodes.reference("", "[source]", refuri=target, classes=["viewcode-link"])
            signature.append(addnodes.only("", link, expr="html"))


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """All files of the layers, and the tests that the book links to."""
    files = {file for layer in LAYERS for file in (ROOT / layer).rglob("*.py")}
    files |= {place.file for label in claims() for place in where(label)}
    # Spans on lines and numbers made by the style sheet: half of the size of linked numbers.
    formatter = HtmlFormatter(linespans="L", wrapcode=True)
    lexer = PythonLexer(filters=[_Quiet()])
    for file in sorted(files) if app.builder.format == "html" else ():
        code = highlight(file.read_text(encoding="utf-8"), lexer, formatter)
        context = {"title": file.relative_to(ROOT).as_posix(), "body": code}
        yield source_page(file), context, "source.html"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", add_links)
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
