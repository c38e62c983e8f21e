"""Logs of rollouts in the forms that people have."""

from pathlib import Path

import numpy as np
import pytest

HORIZON, PROMPTS, EACH = 200, 12, 16


@pytest.fixture
def rows() -> list[dict]:
    """12 prompts of 16 rollouts, Gamma of shape 2, means from 60 to 600, cut at 200 tokens."""
    rng = np.random.default_rng(0)
    found = []
    for k, mean in enumerate(np.geomspace(60, 600, PROMPTS)):
        for time in np.ceil(rng.gamma(2, mean / 2, EACH)).astype(int).tolist():
            solved = time <= HORIZON
            found.append({"prompt": f"p{k}", "tokens": min(time, HORIZON), "solved": solved})
    return found


@pytest.fixture
def csv_log(rows, tmp_path: Path) -> Path:
    """The same as a table."""
    lines = [f"{row['prompt']},{row['tokens']},{row['solved']}" for row in rows]
    path = tmp_path / "log.csv"
    path.write_text("prompt,tokens,solved\n" + "\n".join(lines) + "\n")
    return path
