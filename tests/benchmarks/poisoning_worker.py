"""One measurement in a process of its own: ``python poisoning_worker.py JSON``; answers in JSON.

{"do": "enclose", "features", "pairs", "attack"}                     holdfast
{"do": "peer", "method", "features", "pairs", "attack", "limit"}     another solver

Each process draws the data itself, from the same seed; that is not measured.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from peers import best
from poisoning_peers import PEERS, Flips
from worker import peak_memory


def enclose(order: dict[str, Any]) -> dict[str, Any]:
    """holdfast's rigorous enclosure; libraries are loaded on a small problem before."""
    from holdfast.solvers.poisoning import enclose_flips

    def run(flips: Flips) -> Any:
        return enclose_flips(flips.features, 1, 1 - flips.flipped)

    run(Flips.draw(3, 50, "random"))
    flips = _draw(order)
    seconds, found = best(lambda: run(flips))
    return {
        "seconds": seconds,
        "status": found.status.name,
        "lower": found.lower,
        "upper": found.upper,
        "width": found.width / found.upper,
        "fractional": found.n_fractional,
        "matrix": flips.features.nbytes / 2**20,
        "memory": peak_memory(),
        "stages": found.statistics["seconds"],
        "note": f"{found.statistics['steps']} steps, {found.statistics['pricings']} pricings",
    }


def peer(order: dict[str, Any]) -> dict[str, Any]:
    """Another solver."""
    return PEERS[order["method"]](_draw(order), order["limit"])


def _draw(order: dict[str, Any]) -> Flips:
    return Flips.draw(order["features"], order["pairs"], order["attack"])


DO = {"enclose": enclose, "peer": peer}

if __name__ == "__main__":
    task = json.loads(sys.argv[1])
    answer = DO[task["do"]](task)
    print(json.dumps({"memory": peak_memory()} | answer))
