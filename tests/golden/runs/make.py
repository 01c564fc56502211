"""Write the run of the present schema that later versions must read, or refuse by its number.

From the project's folder: python -m tests.golden.runs.make
"""

import dataclasses
from pathlib import Path

from engine import runs
from engine.evaluate import Evaluation, QueryResult, Result
from engine.measures import Accepted
from engine.runs import Run

COUNTED = Run(  # in schemas 1 and 2
    name="tiny-count-20260102-183000",
    made="2026-01-02T18:30:00+00:00",
    index_stamp="1-2-3",
    catalogue="0" * 64,
    groundtruth="gt.csv",
    groundtruth_sha256="1" * 64,
    parameters={"codebook_digest": "2" * 64, "parts": {"words": {}}},
    versions={"python": "3.11.7"},
    paths={0: "a.jpg", 1: "b.jpg", 2: "c.jpg", 3: "d.jpg"},
    evaluation=Evaluation(
        "tiny",
        "count",
        (
            QueryResult(
                query="a.jpg",
                landmark="a.jpg",
                average_precision=0.25,
                precision_1=0.0,
                precision_4=0.25,
                easy=None,
                n_positives=1,
                first=("b.jpg", "c.jpg", "d.jpg"),
                image_id=0,
                right_ranks=(2,),
                right_ids=(3,),
                ranked=(
                    Result(1, 0.9, "unlabelled"),
                    Result(2, 0.8, "junk"),
                    Result(3, 0.7, "right"),
                ),
                cpu_seconds=0.001,
                features_cpu_seconds=0.1,
            ),
        ),
    ),
)

(_result,) = COUNTED.evaluation.results
_told = dataclasses.replace(
    _result,
    ranked=(
        Result(1, 0.9, "unlabelled", "direct"),
        Result(2, 0.8, "junk", "added"),
        Result(3, 0.7, "right", ""),
    ),
    direct=Accepted(0, 1, 0),
    added=Accepted(0, 0, 1),
)
RUN = dataclasses.replace(
    COUNTED,
    name="tiny-expanded-20260102-183000",
    evaluation=Evaluation("tiny", "expanded", (_told,)),
)

if __name__ == "__main__":
    path = Path(__file__).parent / f"run_v{runs.SCHEMA_VERSION}.json"
    path.write_bytes(runs.to_bytes(RUN))
