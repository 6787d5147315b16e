"""Several processes that train one model: who am I, sum this, share that; nothing about models or data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")

PATIENCE = timedelta(hours=2)  # the others wait while the first rank evaluates and saves


@dataclass(frozen=True)
class Group:
    """The processes of this run. With one process every call does nothing, so that there is one code path."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes files and speaks."""
        return self.rank == 0

    def sum_(self, tensor: Tensor) -> Tensor:
        """Replaces the tensor by its sum over all ranks."""
        if self.size > 1:
            dist.all_reduce(tensor, op=dist.ReduceOp.SUM)
        return tensor

    def share_(self, tensor: Tensor) -> Tensor:
        """Replaces the tensor by the first rank's."""
        if self.size > 1:
            dist.broadcast(tensor, src=0)
        return tensor

    def share(self, value: T) -> T:
        """The first rank's value, on every rank; for a few small values, outside the step."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def all(self, value: T) -> list[T]:
        """Every rank's value, in order of the ranks; small values too."""
        if self.size == 1:
            return [value]
        box: list[T] = [value] * self.size
        dist.all_gather_object(box, value)
        return box

    def wait(self) -> None:
        """Returns when every rank has come here."""
        if self.size > 1:
            dist.barrier()


def group() -> Group:
    """This process's place: from the running process group, else from torchrun's environment, else alone."""
    if dist.is_available() and dist.is_initialized():
        return Group(dist.get_rank(), dist.get_world_size())
    return Group(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


def own_device(device: torch.device) -> torch.device:
    """The accelerator that belongs to this process when torchrun started several on one machine."""
    if device.type == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


@contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """Inside, the ranks can speak with each other. A process group that is already there is used and left."""
    ours = group()
    begin = ours.size > 1 and not dist.is_initialized()
    if begin:
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield group()
    finally:
        if begin:
            dist.destroy_process_group()
