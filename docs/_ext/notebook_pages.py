"""The notebooks as pages: each executed from a clean kernel, with what it prints and draws.

A page that is newer than its notebook and than all code of the package is kept.
"""

import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("theory", "solvers", "verify")
SECONDS_A_CELL = 600
VIEW = "application/vnd.jupyter.widget-view+json"

INDEX = """\
# Notebooks

Each was executed when these pages were made. In JupyterLab (`make notebooks`) their controls can be
turned; here they stand where they begin.

```{{toctree}}
:maxdepth: 1

{pages}
```
"""


def executed(source: Path) -> Any:
    """The notebook after execution in a folder of its own; raises CellExecutionError."""
    notebook = nbformat.read(source, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=SECONDS_A_CELL,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        )
        client.widget_registry = {}  # what controls draw goes to their cells
        client.execute()
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [shown for out in cell.outputs if (shown := _still(out))]
    return notebook


def _still(output: Any) -> Any:
    """An output as paper can show it: no control, no view of one, and no error in silence."""
    if output.output_type == "error":
        raise RuntimeError(f"a control raised {output.ename}: {output.evalue}")
    return None if VIEW in output.get("data", {}) else output


def write(source: Path, target: Path) -> None:
    """The page of one notebook, and its pictures beside it."""
    pictures = {"unique_key": source.stem, "output_files_dir": f"{source.stem}_files"}
    notebook, pictures = CoalesceStreamsPreprocessor().preprocess(executed(source), pictures)
    text, resources = MarkdownExporter().from_notebook_node(notebook, pictures)
    for name, content in resources["outputs"].items():
        picture = target.parent / name
        picture.parent.mkdir(exist_ok=True)
        picture.write_bytes(content)
    target.write_text(re.sub(r"<style scoped>.*?</style>", "", text, flags=re.DOTALL))


def _newest() -> float:
    files: Iterator[Path] = (file for layer in LAYERS for file in (ROOT / layer).rglob("*.py"))
    return max(file.stat().st_mtime for file in files)


def write_all(app: Sphinx) -> None:
    """Every page that is missing or older than what it shows."""
    target = Path(app.srcdir) / "notebooks"
    target.mkdir(exist_ok=True)
    sources = sorted((ROOT / "notebooks").glob("*.ipynb"))
    sources.sort(key=lambda path: path.stem != "overview")
    pages = [target / f"{source.stem}.md" for source in sources]
    code = _newest()
    stale = [
        (source, page)
        for source, page in zip(sources, pages, strict=True)
        if not page.is_file() or page.stat().st_mtime < max(code, source.stat().st_mtime)
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, *zip(*stale, strict=True))) if stale else ()
    index = INDEX.format(pages="\n".join(page.stem for page in pages))
    if not (where := target / "index.md").is_file() or where.read_text() != index:
        where.write_text(index)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
