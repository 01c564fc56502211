"""Spatial verification, slowly: one step of the paper a line, no kernel."""

import numpy as np

from engine.verify import N_CELLS


def agree(affine, matches, j, reach, params):
    """Which matches lie within reach of a map, and turn and grow like match `j`."""
    qxy, dxy, log_scale, cosine, sine, _ = matches
    scale = np.sqrt(abs(np.linalg.det(affine[:, :2])))
    apart = qxy @ affine[:, :2].T + affine[:, 2] - dxy
    near = (apart**2).sum(1) <= (reach * max(1.0, scale)) ** 2
    alike = abs(log_scale - log_scale[j]) < params.log_scale
    turned = cosine * cosine[j] + sine * sine[j]
    return near & alike & (turned > np.cos(np.radians(params.angle)))


def similarity(matches, j):
    """The map that carries query keypoint `j` onto its match."""
    qxy, dxy, log_scale, cosine, sine, _ = matches
    linear = np.exp(log_scale[j]) * np.array([[cosine[j], -sine[j]], [sine[j], cosine[j]]])
    return np.column_stack([linear, dxy[j] - linear @ qxy[j]])


def fit(affine, matches, agreeing, ridge):
    """Weighted least squares around the centres of mass, held to the former linear part."""
    qxy, dxy, *_, weights = matches
    w = weights[agreeing][:, None]
    q0, d0 = (w * qxy[agreeing]).sum(0) / w.sum(), (w * dxy[agreeing]).sum(0) / w.sum()
    q, d = qxy[agreeing] - q0, dxy[agreeing] - d0
    hold = w.sum() * ridge**2 * np.eye(2)
    linear = np.linalg.solve(q.T @ (w * q) + hold, q.T @ (w * d) + hold @ affine[:, :2].T).T
    return np.column_stack([linear, d0 - linear @ q0])


def plausible(affine, params):
    """Neither mirrored nor squeezed nor of absurd scale."""
    largest, least = np.linalg.svd(affine[:, :2])[1]
    return (
        np.linalg.det(affine[:, :2]) > 0
        and least >= params.least_scale
        and largest <= params.largest_scale
        and largest <= params.widest * least
    )


def verify(query, database, distances, weights, size, params):
    """Score, affine map, inliers."""
    order = np.argsort(distances, kind="stable")[: params.n_matches]
    turn = np.deg2rad(database.angle[order] - query.angle[order]).astype(float)
    matches = (
        query.xy[order].astype(float),
        database.xy[order].astype(float),
        np.log(database.size[order] / query.size[order]).astype(float),
        np.cos(turn),
        np.sin(turn),
        weights[order].astype(float),
    )
    diagonal = np.hypot(*size)
    reach = params.distance * diagonal
    proposals = range(min(len(order), params.n_hypotheses))
    votes = [
        np.floor(4096 * matches[5] + 0.5)[agree(similarity(matches, j), matches, j, reach, params)]
        for j in proposals
    ]
    best = np.argsort([-vote.sum() for vote in votes], kind="stable")[: params.n_refined]
    found = (0.0, np.eye(2, 3), np.zeros(len(order), bool))
    for j in best:
        affine = similarity(matches, j)
        for done in range(params.n_rounds):
            shrunk = reach * (1 - 0.5 * done / params.n_rounds)
            agreeing = agree(affine, matches, j, shrunk, params)
            if not agreeing.any():
                break
            affine = fit(affine, matches, agreeing, 0.04 * diagonal)
            if not plausible(affine, params):
                break
        else:
            agreeing = agree(affine, matches, j, reach / 2, params)
            if matches[5][agreeing].sum() > found[0]:
                found = (matches[5][agreeing].sum(), affine, agreeing)
    kept = []
    for k in np.flatnonzero(found[2]):
        beside = [
            min(
                np.hypot(*(matches[0][k] - matches[0][other])),
                np.hypot(*(matches[1][k] - matches[1][other])),
            )
            < params.apart * diagonal
            for other in kept
        ]
        if not any(beside):
            kept.append(k)
    weight = matches[5][kept].sum()
    cells = {tuple(np.floor(xy * N_CELLS / size).clip(0, N_CELLS - 1)) for xy in matches[0][kept]}
    total = weights.sum(dtype=float)
    score = np.sqrt(weight * len(cells) * weight / total) if total > 0 else 0.0
    return score, found[1], order[kept]
