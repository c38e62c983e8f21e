"""The most fish on a windy lake of side x side cells: python windy_lake.py 1000"""

import sys

import numpy as np

from holdfast.solvers import check_evaluation, enclose, from_functions, write_evaluation

EAST, NORTH = np.array([0, 1, -1, 0, 0]), np.array([0, 0, 0, 1, -1])  # stay, or sail a cell


def anywhere(states):
    """A number of each cell that looks drawn at random, and is the same in every call."""
    return (states * 2_654_435_761 % 2**32) >> 12


def lake(side):
    """Who sails off on one side of the lake comes back on the other; the north is windier."""

    def successors(states, actions):
        row, column = np.divmod(states, side)
        row, column = (row + NORTH[actions]) % side, column + EAST[actions]
        wind = 1 + 3 * row // side  # tenths of a chance to be blown one cell farther east
        cells = [row * side + (column + blown) % side for blown in range(3)]
        weights = [10 - wind, wind, np.ones_like(wind)]
        return np.stack(cells, axis=1), np.stack(weights, axis=1)

    def fish(states, actions):
        return anywhere(states) % 101

    def rocks(states, actions):
        return (anywhere(states + 7) % 10 == 0).astype(int)

    return from_functions(
        side * side, len(EAST), successors, fish, costs=[rocks], budgets=["1/2"],
        discount="19/20", denominators=[100, 1],
    )  # fmt: skip


if __name__ == "__main__":
    side = int(sys.argv[1])
    found = enclose(lake(side), width=1e-5)
    print(f"fish: between {float(found.lower):.6f} and {float(found.upper):.6f}")
    for part in found.components:
        print(f"{float(part.weight):.4f} of the boats, on rocks {float(part.costs[0][1]):.4f}")
    write_evaluation(found, "lake.npz")
    lower, upper = check_evaluation(lake(side), "lake.npz")
    print(f"again, from the functions: between {float(lower):.6f} and {float(upper):.6f}")
