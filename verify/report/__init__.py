"""Reports of a run: on the console, as one HTML page, as JSON and as JUnit XML.

Everything here reads a `RunSummary` and decides nothing.  The modules are loaded on demand, because
some of them need matplotlib, networkx or jinja2: ``from holdfast.verify.report import html``.

To be read in this order: `wording`, `numbers`, `text`, `places`; then one report each: `console`
(with `page`), `json_report`, `junit`, `html` (with `views`).
"""
