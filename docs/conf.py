"""Sphinx configuration: four kinds of pages, and a book of theorems generated from the code."""

import ast
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.apidoc import main as apidoc

import holdfast

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "holdfast"
author = "the holdfast authors"
release = version = holdfast.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sources",
    "dead_links",
    "mathml",
    "theorem_book",
    "errata",
    "notebook_pages",
    "atlas",
]
exclude_patterns = ["_build", "_ext", "_templates"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_mock_imports = [
    "torch",
    "gpytorch",
    "stable_baselines3",
    "sb3_contrib",
    "safetensors",
    "transformers",
    "trl",
    "peft",
    "datasets",
]
napoleon_use_ivar = True
napoleon_use_rtype = False

# `lower`, `upper` and `value` are of every solution: any may be meant.
suppress_warnings = ["ref.python"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["book.css"]
templates_path = ["_templates"]
html_copy_source = False
html_show_search_summary = False  # it is fetched, which no browser allows of pages read from a disk
html_show_copyright = False
html_title = "holdfast: does the bound hold?"
html_math_renderer = "mathml"


def write_reference(app: Sphinx) -> None:
    """One page per package of the three layers, which are reached through the links of src.

    They are outside of the tree of contents, which each page in it repeats: with them in it, it
    took two thirds of the time of a build.
    """
    target = HERE / "reference" / "api"
    options = ["-q", "--force", "--no-toc", "--follow-links", "--remove-old"]
    templates = ["--templatedir", str(HERE / "_templates" / "apidoc")]
    apidoc([*options, *templates, "-o", str(target), str(HERE.parent / "src" / "holdfast")])


def list_lazy_names(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """The names that a package loads on first use, as its stub lists them, with links home."""
    if what == "module" and (stub := Path(value.__file__).with_suffix(".pyi")).is_file():
        lines += ["", "Names, each loaded when it is first used:", ""]
        for node in ast.parse(stub.read_text(encoding="utf-8")).body:
            assert isinstance(node, ast.ImportFrom), f"{stub}: only imports belong here"
            home = f"{name}.{node.module}"
            lines += [f"* :py:obj:`{one.name} <{home}.{one.name}>`" for one in node.names]


def shorten_tree(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
    """Only the first level of the tree of contents on pages outside of it, which have crumbs."""
    if "orphan" in (context.get("meta") or {}):
        whole = context["toctree"]
        context["toctree"] = lambda **options: whole(**options | {"collapse": True})


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", write_reference)
    app.connect("html-page-context", shorten_tree, priority=400)  # before the theme draws it
    app.connect("autodoc-process-docstring", list_lazy_names)
