"""The verb ``tokenizer train``: learning a vocabulary from files."""

from typing import Annotated, Literal

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON, Output, Source, Target

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES",
        help="Text, a sentence a line (- is stdin), or sentence pairs as for training.",
        show_default=False,
    ),
]
Kind = Annotated[
    Literal["word", "character", "bpe", "byte_bpe", "wordpiece", "unigram"],
    typer.Option(help="How text is cut."),
]
Size = Annotated[
    int, typer.Option(min=5, metavar="N", help="How many pieces to aim for; little text gives fewer.")
]
Least = Annotated[int, typer.Option(min=1, metavar="N", help="How often a piece must occur to be learned.")]
Share = Annotated[
    float, typer.Option(min=1e-9, max=1, metavar="X", help="Share of characters with their own pieces.")
]
Jamo = Annotated[bool, typer.Option("--jamo", help="Take Hangul syllables apart; pieces can cut inside.")]
Lower = Annotated[bool, typer.Option("--lowercase", help="Forget upper case.")]
Split = Annotated[bool, typer.Option("--separate", help="A vocabulary for each side; needs sentence pairs.")]

Around = Annotated[
    Literal["end", "none", "both"],
    typer.Option("--frame", help="What closes a text: end (translation), none (GPT, LLaMA), both (BERT)."),
]


def train(
    paths: Files,
    *,
    output: Output,
    kind: Kind = "bpe",
    vocab_size: Size = 8000,
    min_frequency: Least = 2,
    character_coverage: Share = 0.9995,
    jamo: Jamo = False,
    lowercase: Lower = False,
    separate: Split = False,
    frame: Around = "end",
    source: Source = None,
    target: Target = None,
    as_json: JSON = False,
) -> None:
    """Learn a vocabulary from files.

    [bold]Examples[/bold]
      glassformer tokenizer train train.tsv -o vocabulary
      glassformer tokenizer train korean.txt --kind unigram --jamo --frame none -o vocabulary
    """
    config = gf.TokenizerConfig(
        name=kind,
        vocab_size=vocab_size,
        shared=not separate,
        jamo=jamo,
        lowercase=lowercase,
        min_frequency=min_frequency,
        character_coverage=character_coverage,
    )
    pair = gf.train_tokenizer(paths, output, config, source=source, target=target, frame=frame)
    sides = {"vocab_size": pair.source, "target_vocab_size": pair.target}
    shown = {name: one.vocab_size for name, one in sides.items() if one is pair.source or not pair.shared}
    figures = {"output": str(output), "kind": pair.source.kind, **shown}
    if as_json:
        report.result({**figures, "fingerprint": pair.fingerprint})
    else:
        stdout.line(report.table(["tokenizer", ""], [*figures.items()]))
