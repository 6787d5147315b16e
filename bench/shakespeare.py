"""The loss of transformers' GPT-2 in nanoGPT's CPU setting, in the loop one writes by hand.

``python -m bench.shakespeare`` prints what recipes/language/shakespeare-nanogpt.yaml compares itself with.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import Any

import torch
import transformers
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional

from glassformer.api.recipe import read_recipe

RECIPE = "language/shakespeare-nanogpt"
SIZES = {"n_layer": 4, "n_head": 4, "n_embd": 128, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
BLOCK, ROWS, WARMUP, HIGHEST, LOWEST = 64, 12, 100, 1e-3, 1e-4


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains, and prints the validation loss in nats a character; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.shakespeare", description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument(
        "settings", nargs="*", metavar="a.b=c", help="settings of the recipe, such as its data"
    )
    chosen = parser.parse_args(arguments)
    data: Any = read_recipe(RECIPE, chosen.settings).data
    train, valid = (_text(data, split) for split in ("train", "valid"))
    places = {character: place for place, character in enumerate(sorted({*train, *valid}))}
    ids, held = (torch.tensor([places[character] for character in text]) for text in (train, valid))
    model = trained(ids, len(places), chosen.steps)
    print(f"validation loss {validated(model, held):.3f} nats a character after {chosen.steps} steps")
    return 0


def trained(ids: Int[Tensor, " characters"], characters: int, steps: int) -> Any:
    """GPT-2 after so many steps on random blocks."""
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=characters, n_positions=BLOCK, bos_token_id=None, eos_token_id=None, **SIZES
    )
    model = transformers.GPT2LMHeadModel(config)
    matrices = [weight for weight in model.parameters() if weight.dim() > 1]
    others = [weight for weight in model.parameters() if weight.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.99))
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = _rate(step, steps)
        starts = torch.randint(len(ids) - BLOCK, (ROWS, 1))
        rows = ids[starts + torch.arange(BLOCK + 1)]
        loss = functional.cross_entropy(model(rows[:, :-1]).logits.flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


@torch.inference_mode()
def validated(model: Any, ids: Int[Tensor, " characters"]) -> float:
    """The mean loss over consecutive blocks, in which each character but the first is foretold once."""
    total, count = 0.0, len(ids) - 1
    for at in range(0, count, BLOCK):
        row = ids[at : at + BLOCK + 1]
        scores = model(row[None, :-1]).logits[0]
        total += float(functional.cross_entropy(scores, row[1:], reduction="sum"))
    return total / count


def _text(data: Any, split: str) -> str:
    return "".join(part.fields["text"] for one in data.sources(split) for part in data.read(one.path))


def _rate(step: int, steps: int) -> float:
    """Up to the highest in a straight line, then down to the lowest as a cosine."""
    if step < WARMUP:
        return HIGHEST * (step + 1) / WARMUP
    done = (step - WARMUP) / max(1, steps - WARMUP)
    return LOWEST + (HIGHEST - LOWEST) * (1 + math.cos(math.pi * done)) / 2


if __name__ == "__main__":
    sys.exit(main())
