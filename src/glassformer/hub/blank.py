"""Models without weights: built as large as they are, and waiting to be filled from a file."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from torch import Tensor, nn
from torch.nn import init
from torch.overrides import TorchFunctionMode

from glassformer.hub.heads import native_of
from glassformer.nn.headed import Head, Headed


def blank(module: ModuleType, config: Any, head: Head | None = None) -> nn.Module:
    """A model whose weights wait to be filled: memory is asked for and not touched, tables are computed."""
    with undrawn():
        model: nn.Module = module.Model(config)
        return model if head is None else Headed(model, head, native_of(config, head))


def undrawn() -> TorchFunctionMode:
    """Inside, first weights are not drawn: they would be overwritten, and drawing takes most of the time."""
    return _Undrawn()


# Functions of torch.nn.init that a mode sees are not looked into, so they stand here beside what they call.
DRAWING = (Tensor.uniform_, Tensor.normal_, init.uniform_, init.normal_, init.kaiming_uniform_)


class _Undrawn(TorchFunctionMode):
    """What is drawn stays as it was."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if func in DRAWING:
            return args[0] if args else named["tensor"]
        return func(*args, **named)
