"""ONNX Runtime with our weights: a BERT folder becomes a graph of its fused operators, also in int8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.contest import Wanted
from bench.ctranslate import Weights, held
from bench.measure import THREADS, timed

FUSED = "com.microsoft"
"""The operators that ONNX Runtime's own optimiser puts into a BERT that was exported."""


class Encoding:
    """``onnxruntime.InferenceSession``."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        self.sessions: dict[str, Any] = {}

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Encodes the rows, ``times`` times."""
        if precision not in self.sessions:
            self.sessions[precision] = self._session(precision)
        given = {"tokens": np.array(wanted["rows"], dtype=np.int32)}
        found: list[Any] = []

        def work() -> None:
            for _ in range(wanted["times"]):
                found[:] = self.sessions[precision].run(None, given)

        return timed(work) | {"vectors": found[0][:, 0].tolist()}

    def _session(self, precision: str) -> Any:
        import onnxruntime

        place = self.root / f"bert-{precision}.onnx"
        if precision == "int8":
            _quantized(self.folder, self.root / "bert-whole.onnx", place)
        else:
            graph_file(self.folder, place)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(place), options, providers=["CPUExecutionProvider"])


def _quantized(folder: Path, whole: Path, place: Path) -> None:
    """By the library's own tool: weights to int8 for each row, what comes in as it comes."""
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph_file(folder, whole)
    quantize_dynamic(
        str(whole),
        str(place),
        per_channel=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Attention", "MatMul"],
        # The types of what fused operators give are not found out by the tool.
        extra_options={"DefaultTensorType": TensorProto.FLOAT, "MatMulConstBOnly": True},
    )


def graph_file(source: Path, place: Path) -> None:
    """Our BERT folder as a graph: tokens in, the last hidden states out; no padding, one segment."""
    from onnx import TensorProto, helper, numpy_helper, save

    weights, config = held(source)
    if not any(name.startswith("bert.") for name in weights):
        weights = {f"bert.{name}": value for name, value in weights.items()}
    graph = _Graph(weights, config)
    last = graph.build()
    made = helper.make_graph(
        graph.nodes,
        "bert",
        [helper.make_tensor_value_info("tokens", TensorProto.INT32, ["rows", "tokens"])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["rows", "tokens", config["hidden_size"]])],
        [numpy_helper.from_array(value, name) for name, value in graph.held.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)]
    save(helper.make_model(made, opset_imports=opsets, ir_version=8), str(place))


class _Graph:
    """The nodes as they come, and the tensors that they use."""

    def __init__(self, weights: Weights, config: dict[str, Any]) -> None:
        self.weights, self.config = weights, config
        self.nodes: list[Any] = []
        self.held: Weights = {}

    def build(self) -> str:
        """The whole stack; gives the name of what comes out."""
        x = self._embedded()
        for number in range(self.config["num_hidden_layers"]):
            x = self._block(x, f"bert.encoder.layer.{number}.")
        return x

    def _embedded(self) -> str:
        name = "bert.embeddings."
        tables = [f"{name}{part}_embeddings.weight" for part in ("word", "position", "token_type")]
        inputs = ["tokens", "", *(self._keep(one, self.weights[one]) for one in tables)]
        inputs += self._norm(f"{name}LayerNorm")
        self._add("EmbedLayerNormalization", inputs, ["embedded", "unused"], epsilon=self._eps())
        return "embedded"

    def _block(self, x: str, name: str) -> str:
        own = f"{name}attention.self."
        parts = [f"{own}{part}" for part in ("query", "key", "value")]
        joined = np.concatenate([self.weights[f"{part}.weight"] for part in parts]).T
        bias = np.concatenate([self.weights[f"{part}.bias"] for part in parts])
        inputs = [x, self._keep(f"{own}weight", joined), self._keep(f"{own}bias", bias)]
        heads = self.config["num_attention_heads"]
        seen = self._add("Attention", inputs, [f"{own}out"], num_heads=heads)
        x = self._joined(self._product(seen, f"{name}attention.output.dense"), x, f"{name}attention.output")
        up = self._product(x, f"{name}intermediate.dense")
        wide = self._add("BiasGelu", [up, self._bias(f"{name}intermediate.dense")], [f"{name}wide"])
        return self._joined(self._product(wide, f"{name}output.dense"), x, f"{name}output")

    def _product(self, x: str, name: str) -> str:
        matrix = self._keep(f"{name}.weight", self.weights[f"{name}.weight"].T)
        return self._add("MatMul", [x, matrix], [f"{name}.out"], domain="")

    def _joined(self, new: str, old: str, name: str) -> str:
        inputs = [new, old, *self._norm(f"{name}.LayerNorm"), self._bias(f"{name}.dense")]
        return self._add("SkipLayerNormalization", inputs, [f"{name}.joined"], epsilon=self._eps())

    def _norm(self, name: str) -> list[str]:
        return [self._keep(f"{name}.{part}", self.weights[f"{name}.{part}"]) for part in ("weight", "bias")]

    def _bias(self, name: str) -> str:
        return self._keep(f"{name}.bias", self.weights[f"{name}.bias"])

    def _eps(self) -> float:
        return float(self.config["layer_norm_eps"])

    def _keep(self, name: str, value: np.ndarray) -> str:
        self.held[name] = np.ascontiguousarray(value)
        return name

    def _add(
        self, kind: str, inputs: list[str], outputs: list[str], domain: str = FUSED, **values: Any
    ) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, outputs, name=outputs[0], domain=domain, **values))
        return outputs[0]
