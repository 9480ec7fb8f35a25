"""A linear classifier of sentences by their words and letters, fitted while an agent is loaded."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

RIDGE = 0.25
"""How much simpler weights are preferred over ones that fit every example."""
UNSEEN_WEIGHT = 0.6
"""What a feature that no example has counts, beside the rarest one: strange words lower a score."""
LETTERS = (4,)
"""Lengths of the pieces of words, so that endings and near spellings share features."""
BLOCK_COLUMNS = 2048
ANY = "{any}"
"""Stands for free text, which any sentence could be: only the words beside it mean something."""
_TOKEN = re.compile(r"\{[a-z_]+\}|[^\W_]+(?:'[^\W_]+)?")

Matrix = NDArray[np.float32]
Heads = Callable[[str], str]
"""Gives a text with one word for all that mean nearly the same."""


def _as_said(text: str) -> str:
    return text


@dataclass(frozen=True)
class Example:
    """A sentence of a class."""

    text: str
    label: str
    weight: float = 1.0


def tokens(text: str) -> list[str]:
    """The words of *text*, and the names in braces that stand for values."""
    return _TOKEN.findall(text.lower())


@dataclass(frozen=True, eq=False)
class Classifier:
    """Scores a sentence for each label. Made by `Classifier.fit`; the same examples, the same."""

    labels: tuple[str, ...]
    columns: Mapping[str, int]
    """The number of each feature."""
    rarity: Matrix
    weights: Matrix
    heads: Heads = _as_said

    @classmethod
    def fit(cls, examples: Sequence[Example], heads: Heads = _as_said) -> "Classifier":
        """
        Least squares with a penalty on the weights (ridge regression), one target per label.

        It is solved for the examples instead of the features, of which there are many more: a
        thousand examples take a fraction of a second.
        """
        columns: dict[str, int] = {}
        column_of_each: list[NDArray[np.intp]] = []
        times_of_each: list[Matrix] = []
        for one in examples:
            # Kept as numbers at once: the features of all examples fill many megabytes.
            count = Counter(_features(one.text, heads))
            numbers = [columns.setdefault(name, len(columns)) for name in count]
            column_of_each.append(np.array(numbers, dtype=np.intp))
            times_of_each.append(np.array(list(count.values()), dtype=np.float32))
        total = len(examples)
        row_of = np.repeat(np.arange(total), [len(one) for one in column_of_each])
        column_of = np.concatenate(column_of_each)
        in_examples = np.bincount(column_of, minlength=len(columns)).astype(np.float32)
        rarity: Matrix = np.log((1 + total) / (1 + in_examples)) + 1
        values = (1 + np.log(np.concatenate(times_of_each))) * rarity[column_of]
        length = np.sqrt(np.bincount(row_of, np.square(values), minlength=total))
        values = (values / np.maximum(length, 1e-9)[row_of]).astype(np.float32)
        labels = tuple(dict.fromkeys(one.label for one in examples))
        targets = np.array([[one.label == label for label in labels] for one in examples])
        trust = np.array([one.weight for one in examples])
        # Most features are of one example alone: they bring it near to itself only.
        alone = in_examples[column_of] == 1
        # A weighted example is one that may be missed by more.
        own = np.bincount(row_of[alone], np.square(values[alone]), minlength=total) + RIDGE / trust
        near: Matrix = np.diag(own).astype(np.float32)
        for block, _ in _blocks(row_of, column_of, values, np.flatnonzero(in_examples > 1), total):
            near += block @ block.T
        solved: Matrix = np.linalg.solve(near, targets.astype(np.float32))
        weights: Matrix = np.empty((len(columns), len(labels)), dtype=np.float32)
        for block, chosen in _blocks(
            row_of, column_of, values, np.flatnonzero(in_examples > 1), total
        ):
            weights[chosen] = block.T @ solved
        weights[column_of[alone]] = values[alone, None] * solved[row_of[alone]]
        return cls(labels, columns, rarity, weights, heads)

    def scores(self, text: str) -> dict[str, float]:
        """How well *text* fits each label: about 1 for an example of it, about 0 for none."""
        count = Counter(_features(text, self.heads))
        if not count:
            return dict.fromkeys(self.labels, 0.0)
        unseen = float(self.rarity.max()) * UNSEEN_WEIGHT
        known: list[int] = []
        values: list[float] = []
        squares = 0.0
        for name, times in count.items():
            column = self.columns.get(name)
            value = (1 + float(np.log(times))) * (
                unseen if column is None else float(self.rarity[column])
            )
            squares += value * value
            if column is not None:
                known.append(column)
                values.append(value)
        found: NDArray[Any] = np.array(values, dtype=np.float32) @ self.weights[known]
        return dict(zip(self.labels, (found / np.sqrt(squares)).tolist(), strict=True))


def _blocks(
    row_of: NDArray[np.intp],
    column_of: NDArray[np.intp],
    values: Matrix,
    chosen: NDArray[np.intp],
    rows: int,
) -> Iterator[tuple[Matrix, NDArray[np.intp]]]:
    """
    The *chosen* columns of a sparse matrix with *values* at (*row_of*, *column_of*), some at a
    time: all at once would take hundreds of megabytes. Each with their numbers.
    """
    place = np.full(int(column_of.max(initial=-1)) + 1, -1)
    place[chosen] = np.arange(len(chosen))
    where = place[column_of]
    for start in range(0, len(chosen), BLOCK_COLUMNS):
        here = (where >= start) & (where < start + BLOCK_COLUMNS)
        block: Matrix = np.zeros((rows, min(BLOCK_COLUMNS, len(chosen) - start)), dtype=np.float32)
        block[row_of[here], where[here] - start] = values[here]
        yield block, chosen[start : start + BLOCK_COLUMNS]


def _features(text: str, heads: Heads) -> Iterator[str]:
    """Words, pairs of neighbours, and pieces of words; all but the pieces by their families too."""
    words, families = tokens(text), tokens(heads(text))
    yield from _words_and_pairs(words)
    for one in _words_and_pairs(families):
        yield f"={one}"
    # What is said together, in whatever order: "the money for it, I want it back".
    together = sorted(set(families).difference(words) | {one for one in words if one[0] == "{"})
    for number, first in enumerate(together):
        for second in together[number + 1 :]:
            yield f"&{first} {second}"
    for word in words:
        if word.startswith("{"):
            continue
        whole = f"<{word}>"
        for length in LETTERS:
            for start in range(len(whole) - length + 1):
                yield f"~{whole[start : start + length]}"


def _words_and_pairs(words: Sequence[str]) -> Iterator[str]:
    framed = ("^", *words, "$")
    yield from (word for word in words if word != ANY)
    for first, second in pairwise(framed):
        if ANY not in (first, second) or not {"^", "$"} & {first, second}:
            yield f"{first} {second}"
    for first, second in zip(words, words[2:], strict=False):
        yield f"{first} _ {second}"
