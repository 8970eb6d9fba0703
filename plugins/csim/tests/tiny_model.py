"""A TensorFlow Lite model made here: the embedding of a face is its pixels in a row."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


def write_model(path: Path, side: int = 112, batch: int = 2) -> Path:
    """Write a model (batch, side, side, 3) float32 -> (batch, side * side * 3): one operation, a reshape."""
    shapes = [(batch, side, side, 3), (2,), (batch, side * side * 3)]
    buffers = [schema.BufferT() for _ in range(4)]
    buffers[2].data = np.frombuffer(np.array(shapes[2], "<i4").tobytes(), np.uint8)
    tensors = []
    for number, shape in enumerate(shapes):
        tensor = schema.TensorT()
        tensor.shape, tensor.buffer, tensor.name = np.array(shape, np.int32), number + 1, f"t{number}".encode()
        tensor.type = schema.TensorType.INT32 if number == 1 else schema.TensorType.FLOAT32
        tensors.append(tensor)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    code.version = 1
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0, 1], [2]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [operator], [0], [2]
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], buffers
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path
