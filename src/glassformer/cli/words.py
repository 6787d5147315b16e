"""The verb ``words``: what word vectors say of words, how good they are, and their files."""

from pathlib import Path
from typing import Annotated

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.cli import stdout
from glassformer.cli.options import Lines

Place = Annotated[
    str, typer.Argument(metavar="DIR|FILE", help="A model, or a file of vectors.", show_default=False)
]
Terms = Annotated[
    list[str] | None, typer.Argument(metavar="[WORD]...", help="Words, or a sum.", show_default=False)
]
Two = Annotated[
    tuple[str, str] | None, typer.Option("--similarity", metavar="A B", help="The cosine of two words.")
]
Pairs = Annotated[Path | None, typer.Option(metavar="FILE", help="Two words and a number a line.")]
Analogies = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Four words a line; ': name' a section.")
]
Export = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the vectors: .txt .vec .bin .kv")]
Most = Annotated[int, typer.Option("--top-k", min=1, metavar="N", help="How many words are shown.")]
Trusted = Annotated[
    bool, typer.Option("--trusted", help="Let gensim open its pickle, which may run anything.")
]


def words(
    place: Place,
    terms: Terms = None,
    *,
    similarity: Two = None,
    pairs: Pairs = None,
    analogies: Analogies = None,
    export: Export = None,
    top_k: Most = 10,
    trusted: Trusted = False,
    as_json: Lines = False,
) -> None:
    """Look into word vectors: neighbours, sums, similarity, scores; write them to files.

    DIR is any model that reads words; FILE has vectors of word2vec, as text or
    binary, also gzip, or of gensim. --export writes what the name ends in: .txt
    or .vec, .bin, these with .gz, or .kv for gensim.

    [bold]Examples[/bold]
      glassformer words runs/words 서울 부산
      glassformer words runs/words 서울 - 한국 + 일본
      glassformer words runs/words --similarity 어머니 아버지
      glassformer words vectors.bin --pairs pairs.tsv --analogies questions.txt
      glassformer words runs/words --export vectors.txt.gz
    """
    if not terms and all(wish is None for wish in (similarity, pairs, analogies, export)):
        raise UserError("say what to look for: words, --similarity, --pairs, --analogies or --export")
    opened = gf.load_words(place, trusted=trusted)
    for one in opened.asked(terms or [], top_k):
        stdout.answer(as_json, one.as_json, one.lines())
    if similarity is not None:
        cosine = opened.similarity(*similarity)
        record = {"words": similarity, "similarity": cosine}
        stdout.answer(as_json, lambda: record, [f"{cosine:.4f}"])
    for path, score in ((pairs, opened.pairs), (analogies, opened.analogies)):
        if path is not None:
            figures = score(path)
            stdout.answer(as_json, figures.as_json, figures.lines())
    if export is not None:
        opened.export(export)
        report.say(f"{len(opened)} words of {opened.vectors.dim} values: {export}")
