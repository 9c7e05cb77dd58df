"""A torch module as onnxruntime runs it."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

Run = Callable[..., list[npt.NDArray[Any]]]


def exported(module: nn.Module, inputs: tuple[Tensor, ...], **dynamic: Any) -> Run:
    """(tensors) -> arrays: the module exported by torch.onnx and run by onnxruntime on the CPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's exporter, about itself
        import onnxruntime

        program = torch.onnx.export(module.eval(), inputs, dynamo=True, verbose=False, **dynamic)
        assert program is not None
        session = onnxruntime.InferenceSession(
            program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"]
        )
    names = [given.name for given in session.get_inputs()]

    def run(*tensors: Tensor) -> list[npt.NDArray[Any]]:
        arrays = (tensor.numpy() for tensor in tensors)
        return session.run(None, dict(zip(names, arrays, strict=True)))

    return run
