"""The k best of very many candidates, quickly, and in one order only when candidates are equal."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

CHUNK = 64


def best(values: Float[Tensor, "rows many"], k: int) -> tuple[Float[Tensor, "rows k"], Int[Tensor, "rows k"]]:
    """The ``k`` largest float32 values of each row, falling, and where they stand; equal ones by position.

    Sorting every candidate is slow, and ``topk`` leaves the order of equals open. Instead the maximum of
    every chunk of 64 is taken first, which is one fast pass; the k best lie in the k chunks with the best
    maxima (for an element elsewhere those chunks hold k better ones). Only these few are ranked, by keys
    that never tie.
    """
    many = values.size(1)
    chunks = many // CHUNK
    if chunks <= 4 * k:
        return _pick(values, torch.arange(many, device=values.device).expand_as(values), k)
    body = values[:, : chunks * CHUNK].view(-1, chunks, CHUNK)
    chunk = _keys(body.amax(dim=2), torch.arange(chunks, device=values.device)[None]).topk(k, dim=1).indices
    inside = torch.arange(CHUNK, device=values.device)
    rest = torch.arange(chunks * CHUNK, many, device=values.device).expand(values.size(0), -1)
    place = torch.cat(((chunk.unsqueeze(2) * CHUNK + inside).flatten(1), rest), dim=1)
    return _pick(values.gather(1, place), place, k)


def _pick(
    values: Float[Tensor, "rows few"], place: Int[Tensor, "rows few"], k: int
) -> tuple[Float[Tensor, "rows k"], Int[Tensor, "rows k"]]:
    chosen = _keys(values, place).topk(k, dim=1).indices
    return values.gather(1, chosen), place.gather(1, chosen)


def _keys(values: Float[Tensor, "rows few"], place: Int[Tensor, "#rows few"]) -> Int[Tensor, "rows few"]:
    """Whole numbers in the order of (value, then earlier place): the float's bits above, the place below.

    Read as a signed integer, a positive float32 keeps its order and a negative one has it reversed.
    """
    bits = (values + 0.0).view(torch.int32)  # adding zero makes −0.0 the same as 0.0
    ordered = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).to(torch.int64)
    return (ordered << 32) + (0xFFFFFFFF - place)
