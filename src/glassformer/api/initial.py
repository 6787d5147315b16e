"""The recipe key ``embeddings``: a new model's input tables begin with vectors that are already known."""

from __future__ import annotations

import torch
from torch import nn

from glassformer.api.recipe import Recipe
from glassformer.api.words import Words, load_words
from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.hub.tables import tables, words_of
from glassformer.text.tokenizer import Tokenizer, TokenizerPair


def known_words(recipe: Recipe) -> Words | None:
    """The vectors that a recipe names, None where it names none.

    Raises UserError for what cannot be read, and beside ``init``, whose tables have learned already.
    """
    if recipe.embeddings is None:
        return None
    if recipe.init is not None:
        raise UserError("embeddings begin a new model, and init goes on from a trained one; give one of them")
    return load_words(recipe.embeddings)


def begin_with(words: Words, model: nn.Module, tokenizers: TokenizerPair | None) -> None:
    """Set the rows of a model's input tables for the words that both know; the others stay as drawn.

    An input table is found by its size: it has a row for each piece of a tokenizer. The values are taken as
    they are, also where the model scales them: scaled to the size of the drawn table they would be forgotten
    sooner (docs/words.md has figures). Raises UserError where there is no table or no common word, or
    where the vectors have another length.
    """
    sides = [] if tokenizers is None else _sides(model, tokenizers)
    if not sides:
        raise UserError("embeddings: the model has no table of word vectors that they could begin")
    # Of two vocabularies one may be of a language that the vectors do not know.
    if not sum(_set(table, tokenizer, words) for table, tokenizer in sides):
        raise UserError(f"embeddings: no word of the vocabulary is in {words.where}")


def _set(table: nn.Embedding, tokenizer: Tokenizer, words: Words) -> int:
    """Set the rows of one table, say how many, and give their number."""
    vectors = words.vectors
    if table.embedding_dim != vectors.dim:
        raise UserError(
            f"embeddings: the vectors of {words.where} have {vectors.dim} values and the model's "
            f"{table.embedding_dim}; set model.dim={vectors.dim}, or take others"
        )
    ids = words_of(tokenizer)
    both = [word for word in ids if word in vectors.index]
    rows = torch.from_numpy(vectors.matrix[[vectors.index[word] for word in both]])
    with torch.no_grad():
        table.weight[[ids[word] for word in both]] = rows.to(table.weight)
    report.say(f"{len(both)} of the vocabulary's {len(ids)} words begin with vectors of {words.where}")
    return len(both)


def _sides(model: nn.Module, tokenizers: TokenizerPair) -> list[tuple[nn.Embedding, Tokenizer]]:
    """The input tables, each with the tokenizer whose pieces its rows are."""
    source, target = tokenizers.source, tokenizers.target
    found = [(table, source) for table in tables(model, source.vocab_size)]
    if tokenizers.shared:
        return found
    if source.vocab_size != target.vocab_size:
        return found + [(table, target) for table in tables(model, target.vocab_size)]
    # Two vocabularies of one size: what is read comes before what is written.
    return found[:1] + [(table, target) for table, _ in found[1:]]
