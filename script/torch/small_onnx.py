"""Writes a small ONNX network that uses every supported operation, and what ONNX's own reference computes for it."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

random = np.random.default_rng(1)
nodes, constants = [], []


def constant(name, values, kind=np.float32):
    constants.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
    return name


def weights(name, *shape):
    return constant(name, random.normal(size=shape) / np.sqrt(np.prod(shape[1:])))


def node(op, name, *inputs, **attributes):
    nodes.append(helper.make_node(op, inputs, [f"{name}_out"], name=name, **attributes))
    return f"{name}_out"


class LRN(OpRun):
    """By the definition of the standard. The package's own sums squares for as many channels as there are pictures only."""

    op_domain = ""

    def _run(self, x, alpha=None, beta=None, bias=None, size=None):
        before, channels = (size - 1) // 2, x.shape[1]
        sums = [(x[:, max(0, c - before):c + size - before] ** 2).sum(1) for c in range(channels)]
        return ((x / (bias + alpha / size * np.stack(sums, 1)) ** beta).astype(x.dtype),)


positive = constant("variance", random.uniform(0.5, 1.5, 6))
x = node("Sub", "centred", "picture", constant("centre", random.normal(size=(1, 3, 1, 1))))
x = node("Div", "scaled", x, constant("deviation", 2.0))
x = node("Pad", "pad", x, constant("pads", [0, 0, 0, 0, 0, 0, 1, 1], np.int64))
x = node("Conv", "conv", x, weights("conv_w", 6, 3, 3, 3), kernel_shape=[3, 3], strides=[2, 2])
x = node("BatchNormalization", "norm", x, constant("gamma", random.normal(size=6)), constant("beta", random.normal(size=6)),
         constant("mean", random.normal(size=6)), positive, epsilon=1e-3)
x = node("Relu", "relu", x)
x = node("LRN", "lrn", x, size=3, alpha=0.5, beta=0.6, bias=1.5)
low = constant("low", -np.inf)
x = node("Pad", "pad_low", x, constant("pads_low", [0, 0, 0, 0, 0, 0, 1, 1], np.int64), low)
x = node("MaxPool", "pool", x, kernel_shape=[3, 3], strides=[2, 2])
a = node("Conv", "wide", x, weights("wide_w", 4, 6, 3, 3), constant("wide_b", random.normal(size=4)),
         kernel_shape=[3, 3], auto_pad="SAME_UPPER", dilations=[1, 1])
b = node("Conv", "depthwise", x, weights("depthwise_w", 6, 1, 3, 3), kernel_shape=[3, 3], pads=[2, 2, 2, 2], dilations=[2, 2], group=6)
b = node("Clip", "clip", b, constant("least", -0.5), constant("most", 0.75))
c = node("AveragePool", "average", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
d = node("AveragePool", "average_inside", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
x = node("Concat", "concat", a, b, c, d, axis=1)
gate = node("GlobalAveragePool", "squeeze", x)
gate = node("Conv", "gate", gate, weights("gate_w", 22, 22, 1, 1))
gate = node("Sigmoid", "sigmoid", gate)
x = node("Mul", "gated", x, gate)
factor = node("Unsqueeze", "factor", constant("factors", random.normal(size=22)), constant("axes", [1, 2], np.int64))
x = node("Mul", "multiplied", x, factor)
y = node("MaxPool", "same", x, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
x = node("Add", "sum", x, y)
x = node("Sum", "sum2", x, y, y)
x = node("Identity", "identity", x)
m = node("ReduceMean", "mean", x, constant("places", [-2, -1], np.int64), keepdims=1)
m = node("Squeeze", "squeezed", m, constant("squeeze_axes", [2, 3], np.int64))
f = node("AveragePool", "last", x, kernel_shape=[2, 2], strides=[2, 2])
f = node("Flatten", "flat", f)
f = node("Gemm", "gemm", f, weights("gemm_w", 5, 88), constant("gemm_b", random.normal(size=5)), transB=1)
m = node("MatMul", "matmul", m, weights("matmul_w", 22, 5))
m = node("Add", "bias", m, constant("bias_b", random.normal(size=5)))
x = node("Concat", "both", f, m, axis=-1)
x = node("Dropout", "dropout", x)
x = node("Reshape", "reshape", x, constant("shape", [1, -1], np.int64))
shape = constant("filled_shape", [10, 3], np.int64)
filled = node("ConstantOfShape", "filled", shape, value=helper.make_tensor("v", TensorProto.FLOAT, [1], [0.25]))
x = node("MatMul", "last_matmul", x, filled)
nodes.append(helper.make_node("Constant", [], ["half"], value_float=0.5))
x = node("Add", "half_added", x, "half")
x = node("Mul", "apart", x, constant("apart_w", random.normal(size=3)))
x = node("Softmax", "softmax", x, axis=-1)

names = [output for made in nodes for output in made.output if made.op_type not in ("Constant", "ConstantOfShape", "Pad")]
value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
graph = helper.make_graph(nodes, "small", [value("picture", [1, 3, 16, 16])], [value("softmax_out", [1, 3])], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
onnx.checker.check_model(model)
folder = Path(sys.argv[1])
(folder / "small.onnx").write_bytes(model.SerializeToString())

picture = (((np.arange(3 * 16 * 16) * 37) % 101) / 50 - 1).astype(np.float32).reshape(1, 3, 16, 16)
model.graph.ClearField("output")
model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
results = ReferenceEvaluator(model, new_ops=[LRN]).run(None, {"picture": picture})
kept = {"conv", "lrn", "pool", "wide", "concat", "gated", "sum2", "mean", "matmul", "gemm", "bias", "half_added", "softmax"}
spread = lambda values: values.flatten()[:: max(1, values.size // 8)]
numbers = {name.removesuffix("_out"): [float(f"{x:.6g}") for x in spread(values)] for name, values in zip(names, results)
           if name.removesuffix("_out") in kept}
text = json.dumps(numbers, separators=(",", ":"))
(folder / "small.json").write_text(text.replace('],"', '],\n"') + "\n")
