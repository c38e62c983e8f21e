"""Run `pip install` with the arguments given, and say what it does: files, sizes, seconds.

Errors and warnings of pip pass through, and its exit status is that of this command.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

UNITS = {"kB": 1e3, "MB": 1e6, "GB": 1e9}
LARGE = 5e6
"""Bytes of a file that is worth a line of its own."""
FILE = re.compile(r"\s*(Downloading|Using cached) (\S+) \(([\d.]+) ([kMG]B)\)")
LOCAL = re.compile(r"\s*Processing (\S+\.whl)")


def size(bytes_: float) -> str:
    return f"{bytes_ / 1e9:.1f} GB" if bytes_ >= 1e9 else f"{bytes_ / 1e6:.0f} MB"


def told(lines: Iterable[str]) -> Iterator[str]:
    """What is worth saying of the lines that pip prints, and at the end the sums."""
    fetched, here, packages = 0.0, 0.0, 0
    for line in lines:
        name, bytes_ = "", 0.0
        if found := FILE.match(line):
            how, name, amount, unit = found.groups()
            bytes_ = float(amount) * UNITS[unit]
            if how == "Downloading":
                fetched += bytes_
            else:
                here += bytes_
        elif (local := LOCAL.match(line)) and Path(local[1]).exists():
            name, bytes_ = Path(local[1]).name, Path(local[1]).stat().st_size
            here += bytes_
        elif line.startswith("Installing collected packages: "):
            packages = line.count(",") + 1
            yield f"unpacking {packages} packages, which takes as long again or longer"
        elif line.startswith("Successfully installed "):
            yield f"{packages} packages: {size(fetched)} downloaded, {size(here)} were here already"
        if bytes_ >= LARGE:
            yield f"{name.split('-')[0]}, {size(bytes_)}"


def main() -> int:
    began = time.monotonic()
    command = [sys.executable, "-m", "pip", "install", "--progress-bar=off", *sys.argv[1:]]
    print(f"pip install {' '.join(sys.argv[1:])}", flush=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pip:
        for words in told(pip.stdout or ()):
            print(f"{time.monotonic() - began:6.0f} s  {words}", flush=True)
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main())
