"""Label-flip poisoning of preference data: what the cheapest change of labels costs, certified.

``solve_flips(FlipProblem.of(features, benign, target))`` is exact, for small data;
``enclose_flips(features, benign, target)`` has rigorous bounds, for large data.  Names load on
first use.

To be read in this order: `flips` (exact), `large` (enclosed), `rewards` (what labels teach), `data`
(pairs and attacks), `measure` (one attack on one data set).
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
