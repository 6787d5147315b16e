"""What a file of ``tests/contracts/cases/`` is made of: configurations, and how others compute the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Case:
    """One configuration, whether ``transformers`` has this architecture, and whether it ``looks``: attends.

    Sizes are tiny; a vocabulary has at least 31 words and a text model reads at least 12 tokens, so that the
    batches of ``inputs.py`` fit. Where ``foreign`` is true, ``architectures`` in the ``config.json`` that the
    model's file writes names the ``Oracle`` that computes the same.
    """

    id: str
    settings: Mapping[str, Any]
    foreign: bool = True
    looks: bool = True


@dataclass(frozen=True)
class Oracle:
    """Classes of ``transformers`` that agree with a model, and random models of theirs.

    ``ours`` and ``theirs`` ask the two for the same numbers, of the same batch, leaving out what stands on
    padding.
    """

    config: str
    model: str
    settings: Mapping[str, Mapping[str, Any]]
    ours: Callable[[nn.Module], Tensor]
    theirs: Callable[[Any], Tensor]
