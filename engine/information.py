"""What one division of things tells about another: entropy and mutual information, in bits."""

import numpy as np
from numpy.typing import NDArray


def entropy(counts: NDArray[np.int64]) -> float:
    """Return the entropy of how things fall into groups, in bits; 0 without any.

    Parameters
    ----------
    counts : (G,) int64 array
        Things in each group.
    """
    full = counts[counts > 0].astype(np.float64)
    if len(full) < 2:
        return 0.0
    shares = full / full.sum()
    return float(-(shares * np.log2(shares)).sum())


def mutual_information(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what rows tell about columns, in bits.

    Parameters
    ----------
    tables : (..., R, C) int64 array
        How many things fall into row r and column c.

    Returns
    -------
    (...) float64 array
        At least 0; 0 for an empty table.
    """
    joint = tables.astype(np.float64)
    total = np.maximum(joint.sum(axis=(-2, -1), keepdims=True), 1.0)
    independent = joint.sum(axis=-1, keepdims=True) * joint.sum(axis=-2, keepdims=True) / total
    ratio = np.divide(joint, independent, out=np.ones_like(joint), where=joint > 0)
    bits: NDArray[np.float64] = (joint / total * np.log2(ratio)).sum(axis=(-2, -1))
    return np.maximum(bits, 0.0)


def expected_information(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> float:
    """Return the mutual information that two divisions have by chance, in bits.

    The mean over all ways to deal the same things into groups of the same sizes. Groups of the
    same size count as one, so that vocabularies of 20,000 words can be compared.

    Parameters
    ----------
    rows, columns : (R,), (C,) int64 arrays
        Things in each group of either division; both add up to the same number.

    References
    ----------
    Vinh, Epps, Bailey, "Information theoretic measures for clusterings comparison", JMLR 2010.
    """
    from scipy.special import gammaln

    n = int(rows.sum())
    if n == 0:
        return 0.0
    factorial = gammaln(np.arange(n + 1) + 1.0)
    total = 0.0
    of_rows, of_columns = (np.unique(s[s > 0], return_counts=True) for s in (rows, columns))
    for a, n_a in zip(*(part.tolist() for part in of_rows)):
        for b, n_b in zip(*(part.tolist() for part in of_columns)):
            k = np.arange(max(1, a + b - n), min(a, b) + 1)
            chance = factorial[a] + factorial[b] + factorial[n - a] + factorial[n - b]
            chance = chance - factorial[n] - factorial[k] - factorial[a - k]
            chance = chance - factorial[b - k] - factorial[n - a - b + k]
            terms = k / n * np.log2(n * k / (a * b)) * np.exp(chance)
            total += n_a * n_b * float(terms.sum())
    return total


def agreement(one: NDArray[np.int32], other: NDArray[np.int32]) -> float:
    """Return the adjusted mutual information of two assignments of the same things.

    Parameters
    ----------
    one, other : (N,) int32 arrays
        Group of each thing, at least 0.

    Returns
    -------
    float
        1 if both divide alike, 0 on average by chance; as `adjusted_mutual_info_score` of
        scikit-learn with the mean of both entropies, which is far slower with thousands of words.
    """
    from scipy.sparse import coo_array

    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(f"assignments {one.shape} and {other.shape} are not of the same things")
    rows, columns = np.bincount(one), np.bincount(other)
    if (rows > 0).sum() == (columns > 0).sum() <= 1:
        return 1.0
    pairs = coo_array((np.ones(len(one)), (one, other))).tocsr()
    bits = entropy(rows) + entropy(columns) - entropy(pairs.data.astype(np.int64))
    chance = expected_information(rows, columns)
    mean = (entropy(rows) + entropy(columns)) / 2
    if mean - chance < 1e-12:  # nothing but full agreement is possible, as of all alone
        return 1.0
    return float((bits - chance) / (mean - chance))
