"""What setting up an environment says of itself."""

import runpy
import subprocess
import sys
from pathlib import Path

INSTALL = Path(__file__).resolve().parents[2] / ".ci" / "install.py"


def test_large_files_are_named_and_all_are_summed(tmp_path: Path) -> None:
    """3.5 + 0.5 + 1,100 MB are downloaded; a kept file of 6 MB and a local one of 7 MB are not."""
    wheel = tmp_path / "scipy-1.17.1-cp311.whl"
    wheel.write_bytes(bytes(7_000_000))
    lines = [
        "Collecting numba>=0.61\n",
        "  Downloading numba-0.68.1-cp311.whl (3.5 MB)\n",
        "  Downloading click-8.5.1-py3.whl (500 kB)\n",
        "  Downloading torch-2.13-cp311.whl (1.1 GB)\n",
        "  Using cached pillow-13.0.0-cp311.whl (6.0 MB)\n",
        f"Processing {wheel}\n",
        "Installing collected packages: click, numba, pillow, scipy, torch\n",
        "Successfully installed click-8.5.1 numba-0.68.1 pillow-13.0.0 scipy-1.17.1 torch-2.13\n",
    ]
    assert list(runpy.run_path(str(INSTALL))["told"](lines)) == [
        "torch, 1.1 GB",
        "pillow, 6 MB",
        "scipy, 7 MB",
        "unpacking 5 packages, which takes as long again or longer",
        "5 packages: 1.1 GB downloaded, 13 MB were here already",
    ]


def test_an_error_of_pip_is_readable_and_keeps_its_exit_status() -> None:
    command = [sys.executable, str(INSTALL), "--no-index", "--find-links=", "no-such-package-0"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "No matching distribution found for no-such-package-0" in found.stderr
    assert found.stdout.startswith("pip install --no-index")
    assert "packages:" not in found.stdout
