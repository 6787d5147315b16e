"""What the tests of language objectives share: rows, documents, and two models of a few lines."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassformer.data.example import Example, Features
from glassformer.nn.embedding import Output

TEXTS = (
    "나는 오늘 학교에서 친구를 만났습니다. 친구는 도서관에서 책을 읽고 있습니다.",
    "The library isn't far from the café, and my friend is reading a book in the library today.",
    "어제 도서관에 갔지만 책은 없었습니다! 나는 학교에 갑니다.",
)


def rows(*tokens: list[int]) -> list[Features]:
    """Rows of the store."""
    return [Features({"tokens": np.array(row, np.int32)}) for row in tokens]


def pieces(*texts: tuple[str, bool, bool]) -> list[Example]:
    """Pieces of documents: text, whether it begins its document, whether it ends it."""
    return [Example({"text": t, "first": a, "last": b}, "x:1") for t, a, b in texts]


class Causal(nn.Module):
    """A recurrence, which knows the past and nothing else; it stands in for a causal model."""

    def __init__(self, vocab: int = 16, dim: int = 6) -> None:
        super().__init__()
        self.config = SimpleNamespace(pad_id=0, eos_id=2, max_length=32, vocab_size=vocab)
        self.table = nn.Embedding(vocab, dim)
        self.cell = nn.GRU(dim, dim, batch_first=True)
        self.output = Output(nn.Parameter(torch.randn(vocab, dim)), bias=True)

    def hidden(self, batch: Any) -> Tensor:
        """The state after each token."""
        states: Tensor = self.cell(self.table(batch["tokens"]))[0]
        return states

    def forward(self, batch: Any) -> Tensor:
        """Scores of the next token."""
        return self.output(self.hidden(batch))


class Encoder(nn.Module):
    """A token's vector with the mean of its row's; it stands in for BERT with all heads."""

    def __init__(self, vocab: int, *, dim: int = 8, max_length: int = 64) -> None:
        super().__init__()
        self.config = SimpleNamespace(pad_id=0, max_length=max_length, head="pretraining")
        self.table = nn.Embedding(vocab, dim)
        self.sides = nn.Embedding(2, dim)
        self.transform = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.LayerNorm(dim))
        self.output = Output(nn.Parameter(torch.randn(vocab, dim)), bias=True)
        self.pooler = nn.Linear(dim, dim)
        self.next_sentence = nn.Linear(dim, 2)

    def hidden(self, batch: Any) -> Tensor:
        """The state of every token."""
        tokens = batch["tokens"]
        seen = batch["keep"] if "keep" in batch else torch.ones_like(tokens, dtype=torch.bool)
        x = self.table(tokens)
        if "segments" in batch:
            x = x + self.sides(batch["segments"])
        return x + (x * seen[..., None]).sum(1, keepdim=True) / seen.sum(1)[:, None, None]

    def pooled(self, hidden: Tensor) -> Tensor:
        """A vector a row."""
        return torch.tanh(self.pooler(hidden[:, 0]))

    def forward(self, batch: Any) -> Tensor:
        """Scores at every place."""
        return self.output(self.transform(self.hidden(batch)))
