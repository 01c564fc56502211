"""Networks that nobody vouches for: bombs end alone, weights elsewhere are found."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from engine import language, model_store, model_trial, onnx_file
from engine.errors import ModelError
from tests.test_models import tiny_model


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "own.onnx")


def bomb(path: Path, node: onnx.NodeProto, arrays: list[onnx.TensorProto]) -> Path:
    """A network whose `node` makes "more", a number that is added to what it gives."""
    nodes = [
        node,
        helper.make_node("ReduceSum", ["more"], ["one"], keepdims=0),
        helper.make_node("GlobalAveragePool", ["picture"], ["means"]),
        helper.make_node("Add", ["means", "one"], ["vector"]),
    ]
    given = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ("n", 3, 32, 32))
    found = helper.make_tensor_value_info("vector", TensorProto.FLOAT, ("n", 3, 1, 1))
    graph = helper.make_graph(nodes, "bomb", [given], [found], arrays)
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def test_a_network_that_takes_all_memory_ends_alone(tmp_path, empty_artifacts, monkeypatch):
    monkeypatch.setattr(model_trial, "MOST_BYTES", 2 << 30)
    shape = helper.make_tensor("shape", TensorProto.INT64, (1,), [3 << 30])
    node = helper.make_node("ConstantOfShape", ["shape"], ["more"])
    with pytest.raises(ModelError, match=r"cannot be tried here|cannot be run|cannot take"):
        model_trial.add(bomb(tmp_path / "big.onnx", node, [shape]), "big", None, {})
    assert model_store.list_models() == []


def test_a_network_without_end_is_ended(tmp_path, empty_artifacts, monkeypatch):
    monkeypatch.setattr(model_trial, "MOST_SECONDS", 3)
    inner = helper.make_graph(
        [
            helper.make_node("Identity", ["goes_on"], ["still"]),
            helper.make_node("Add", ["sum", "sum"], ["twice"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, ()),
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, (1,)),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("twice", TensorProto.FLOAT, (1,)),
        ],
    )
    node = helper.make_node("Loop", ["turns", "", "zero"], ["more"], body=inner)
    arrays = [
        helper.make_tensor("turns", TensorProto.INT64, (), [1 << 62]),
        helper.make_tensor("zero", TensorProto.FLOAT, (1,), [0.0]),
    ]
    with pytest.raises(ModelError, match=r"more than 4 GB of memory or 3 seconds"):
        model_trial.add(bomb(tmp_path / "loop.onnx", node, arrays), "loop", None, {})


def test_a_network_that_is_none_or_good_is_told_by_the_trial_too(own, tmp_path, empty_artifacts):
    added = model_trial.add(own, "mine", None, {"divisor": 255.0, "mean": (0.4, 0.4, 0.4)})
    assert added.model.mean == (0.4, 0.4, 0.4) and model_store.list_models() == ["mine"]
    (tmp_path / "no.onnx").write_bytes(b"no")
    with (
        language.speaking("zh"),
        pytest.raises(ModelError, match="不是 ONNX 模型"),
    ):
        model_trial.add(tmp_path / "no.onnx", "no", None, {})


def test_fields_without_end_are_refused(own, tmp_path, monkeypatch):
    (tmp_path / "many.onnx").write_bytes(b"\x08\x07" + b"\x28\x01" * 3_000_000)
    with pytest.raises(ModelError, match="more than 2,000,000 fields"):
        onnx_file.check(tmp_path / "many.onnx")


def test_weights_elsewhere_are_found_in_branches_too(tmp_path):
    far = helper.make_tensor("far", TensorProto.FLOAT, (1,), [0.0])
    far.ClearField("float_data")
    far.data_location = TensorProto.EXTERNAL
    far.external_data.add(key="location", value="/etc/passwd")
    number = helper.make_tensor_value_info("far", TensorProto.FLOAT, (1,))
    branch = helper.make_graph([], "branch", [], [number], [far])
    yes = helper.make_tensor("yes", TensorProto.BOOL, (), [True])
    node = helper.make_node("If", ["yes"], ["more"], then_branch=branch, else_branch=branch)
    with pytest.raises(ModelError, match=r"keeps its weights \(far\) in another file"):
        onnx_file.check(bomb(tmp_path / "if.onnx", node, [yes]))
