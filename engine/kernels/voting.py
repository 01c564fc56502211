"""Loop that gathers the weights of matches by how far they turn."""

import numpy as np
from numpy.typing import NDArray

from engine.kernels import kernel


@kernel
def count_turns(
    distances: NDArray[np.uint8],
    rows: NDArray[np.int32],
    first_rows: NDArray[np.int64],
    angles: NDArray[np.uint16],
    query_angles: NDArray[np.uint16],
    by_distance: NDArray[np.float32],
    by_keypoint: NDArray[np.float32],
    turns: NDArray[np.float32],
) -> None:
    """Add up the weights of matches by picture and turn.

    Parameters
    ----------
    distances, rows : (R, Q) uint8 and int32
        Hamming distances and matched rows of each picture; rows below 0 are passed over.
    first_rows : (R,) int64
        First keypoint row of each picture.
    angles : (N,) uint16
        Of all keypoint rows; a full turn is 65,536.
    query_angles : (Q,) uint16
        Of the query's keypoints.
    by_distance : (256,) float32
        Weight of each Hamming distance.
    by_keypoint : (Q,) float32
        Weight of each query keypoint.
    turns : (R, B) float32
        Receives the sums; bin b holds turns of b / B to (b + 1) / B.
    """
    n_bins = turns.shape[1]
    for r in range(distances.shape[0]):
        for b in range(n_bins):
            turns[r, b] = 0
        for q in range(distances.shape[1]):
            if rows[r, q] < 0:
                continue
            angle = np.int64(angles[first_rows[r] + rows[r, q]]) - np.int64(query_angles[q])
            turn = (angle + 65536) % 65536 * n_bins // 65536
            turns[r, turn] += by_distance[distances[r, q]] * by_keypoint[q]
