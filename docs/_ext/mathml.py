"""A Sphinx math renderer that writes MathML: formulas need neither network nor script."""

from html import escape
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


def _mathml(latex: str, display: str) -> str:
    try:
        return convert(latex, display=display)
    except Exception as error:
        raise ExtensionError(f"cannot typeset {latex!r}: {error}") from error


def _visit_inline(self: Any, node: nodes.math) -> None:
    self.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _visit_block(self: Any, node: nodes.math_block) -> None:
    anchors = "".join(f'<span id="{escape(name)}"></span>' for name in node.get("ids", ()))
    style = "overflow: auto hidden; padding: 0.4em 0"
    self.body.append(
        f'<div class="formula" style="{style}">{anchors}{_mathml(node.astext(), "block")}</div>\n'
    )
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
