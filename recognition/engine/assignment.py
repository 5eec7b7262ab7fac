"""Pairs rows with columns at the lowest total cost, in plain Python for a handful of each."""

from collections.abc import Sequence
from math import inf


def assign(costs: Sequence[Sequence[float]], alone: float) -> list[int | None]:
    """The column for each row of costs [rows][columns], or None if the row stays unmatched.

    Minimizes the cost of all pairs plus `alone` for each unmatched row; no column is used
    twice. Shortest augmenting paths, as in Jonker and Volgenant 1987,
    Computing 38, pages 325-340.
    """
    columns = len(costs[0]) if costs else 0
    # An extra column for each row, which stands for staying unmatched.
    prices = [[*row, *[alone] * len(costs)] for row in costs]
    owners: list[int | None] = [None] * (columns + len(costs))
    row_credit, column_credit = [0.0] * len(costs), [0.0] * len(owners)
    for newcomer in range(len(costs)):
        # The cheapest path to each column: take it, and move its owner on to another.
        reach, previous = [inf] * len(owners), [-1] * len(owners)
        settled: dict[int, int] = {}  # columns, and the rows that own them
        row, at, spent = newcomer, -1, 0.0
        while True:
            for column, price in enumerate(prices[row]):
                way = spent + price - row_credit[row] - column_credit[column]
                if column not in settled and way < reach[column]:
                    reach[column], previous[column] = way, at
            at = min((c for c in range(len(owners)) if c not in settled), key=reach.__getitem__)
            spent = reach[at]
            owner = owners[at]
            if owner is None:
                break
            settled[at] = row = owner
        row_credit[newcomer] += spent
        for column, holder in settled.items():
            row_credit[holder] += spent - reach[column]
            column_credit[column] -= spent - reach[column]
        while at >= 0:
            before = previous[at]
            owners[at] = owners[before] if before >= 0 else newcomer
            at = before
    found: list[int | None] = [None] * len(costs)
    for column, owner in enumerate(owners[:columns]):
        if owner is not None:
            found[owner] = column
    return found
