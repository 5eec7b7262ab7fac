"""Rows and columns are paired at the lowest total cost."""

import itertools
import random
from math import inf

import pytest

from recognition.engine.assignment import assign


def total(costs, columns, alone):
    return sum(
        alone if column is None else costs[row][column] for row, column in enumerate(columns)
    )


def lowest(costs, columns, alone):
    """The lowest total, by trying everything."""
    choices = itertools.product([None, *range(columns)], repeat=len(costs))
    return min(total(costs, choice, alone) for choice in choices if is_fair(choice))


def is_fair(choice):
    given = [column for column in choice if column is not None]
    return len(given) == len(set(given))


@pytest.mark.parametrize("rows", range(5))
@pytest.mark.parametrize("columns", range(5))
def test_the_total_is_the_lowest_there_is(rows, columns):
    chance = random.Random(10 * rows + columns)
    for _ in range(30):
        costs = [
            [
                chance.choice([inf, chance.uniform(-8, 5), chance.randint(-2, 2)])
                for _ in range(columns)
            ]
            for _ in range(rows)
        ]
        found = assign(costs, 1.5)
        assert len(found) == rows
        assert is_fair(found)
        assert total(costs, found, 1.5) == pytest.approx(lowest(costs, columns, 1.5))


def test_the_nearest_first_is_not_always_the_best():
    assert assign([[1.0, 2.0], [1.1, 9.0]], alone=20) == [1, 0]


def test_what_costs_too_much_stays_alone():
    assert assign([[4.0, inf], [inf, 2.0]], alone=3) == [None, 1]
