"""The best one-to-one assignment of rows to columns of a score matrix."""

import numpy as np

Pairs = list[tuple[int, int]]


def best_assignment(scores: np.ndarray) -> Pairs:
    """The pairs with the largest sum of scores; a score of 0 or less means that two may not be paired.

    The Hungarian method with potentials, for each group of rows and columns that are connected at all.
    """
    return [pair for rows, columns in _groups(scores) for pair in _assign(scores, rows, columns)]


def _groups(scores: np.ndarray) -> list[tuple[list[int], list[int]]]:
    groups, seen = [], set()
    for start in range(scores.shape[0]):
        if start in seen or not (scores[start] > 0).any():
            continue
        rows, columns, waiting = {start}, set(), [start]
        while waiting:
            for column in np.flatnonzero(scores[waiting.pop()] > 0):
                if column not in columns:
                    columns.add(int(column))
                    fresh = {int(row) for row in np.flatnonzero(scores[:, column] > 0)} - rows
                    rows |= fresh
                    waiting += fresh
        seen |= rows
        groups.append((sorted(rows), sorted(columns)))
    return groups


def _assign(scores: np.ndarray, rows: list[int], columns: list[int]) -> Pairs:
    part = np.maximum(scores[np.ix_(rows, columns)], 0.0)
    turned = part.shape[0] > part.shape[1]
    found = _hungarian(-(part.T if turned else part))
    pairs = [(column, row) if turned else (row, column) for row, column in found]
    return sorted((rows[row], columns[column]) for row, column in pairs if part[row, column] > 0)


def _hungarian(cost: np.ndarray) -> Pairs:
    """The pairs with the smallest sum; at most as many rows as columns."""
    count, width = cost.shape
    row_potential, column_potential = np.zeros(count + 1), np.zeros(width + 1)
    owner = np.zeros(width + 1, dtype=int)  # the row, from 1, that holds a column; column 0 is the one being placed
    for row in range(1, count + 1):
        owner[0], column = row, 0
        slack, came_from = np.full(width + 1, np.inf), np.zeros(width + 1, dtype=int)
        used = np.zeros(width + 1, dtype=bool)
        while owner[column]:
            used[column] = True
            reduced = cost[owner[column] - 1] - row_potential[owner[column]] - column_potential[1:]
            better = ~used[1:] & (reduced < slack[1:])
            slack[1:][better], came_from[1:][better] = reduced[better], column
            free = np.where(used, np.inf, slack)
            free[0] = np.inf
            nearest = int(np.argmin(free))
            step = free[nearest]
            row_potential[owner[used]] += step
            column_potential[used] -= step
            slack[~used] -= step
            column = nearest
        while column:
            owner[column] = owner[came_from[column]]
            column = int(came_from[column])
    return [(int(owner[column]) - 1, column - 1) for column in range(1, width + 1) if owner[column]]
