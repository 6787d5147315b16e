"""The verb ``predict``: blanks of a text filled in, labels of texts and pairs, tags, what an image shows."""

from typing import Annotated

import typer

import glassformer as gf
from glassformer.base.errors import UserError
from glassformer.cli import stdout
from glassformer.cli.options import Device, Dtype, Lines, Model
from glassformer.hub.uses import abilities_of

Things = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TEXT_OR_IMAGE]...", show_default=False, help="Texts or images."),
]
Input = Annotated[
    str | None, typer.Option("--input", "-i", metavar="FILE", help="A text or a path a line; - is stdin.")
]
Most = Annotated[int, typer.Option("--top-k", min=1, metavar="N", help="How many candidates or labels.")]


def predict(
    folder: Model,
    things: Things = None,
    *,
    input: Input = None,
    top_k: Most = 5,
    device: Device = "auto",
    dtype: Dtype = "auto",
    as_json: Lines = False,
) -> None:
    """Fill blanks (BERT), tell labels, numbers, tags of words, how alike texts are, what an image shows.

    A blank is written [MASK], <mask> or ___; each candidate is one piece of the
    model's vocabulary. Two texts that are read together stand on a line with a
    tab between them, or as a JSON object. An encoder that scores no words tells
    how alike they are: the cosine of their vectors. ELMo tells which tokens of all
    texts are nearest to each token in its context; --json has the vectors too.

    [bold]Examples[/bold]
      glassformer predict runs/bert "티끌 \\[MASK] 태산"
      glassformer predict runs/bert --input texts.txt --top-k 1 --json
      glassformer predict runs/nsmc "정말 재밌다"
      printf '비가 온다\\t날이 맑다\\n' | glassformer predict runs/nli
      glassformer predict runs/sts --input pairs.tsv --json
      glassformer predict runs/tagger "Kim lives in Seoul"
      glassformer predict runs/qa "Who lives in Seoul?" "Kim lives in Seoul."
      glassformer predict runs/qa --input dev-v2.0.json > predictions.json
      glassformer predict runs/elmo "the river bank" "the bank closed"
      glassformer predict runs/vit cat.png dog.jpg
      ls photos/*.jpg | glassformer predict runs/vit --json
    """
    if things and input is not None:
        raise UserError("there is a text or an image, and --input; give one of them")
    model = gf.load(folder, able=abilities_of("glassformer predict"), device=device, dtype=dtype)
    source = things or input or "-"
    stdout.typed(source, "a line")
    for one in gf.predictions(model, source, top_k):
        stdout.answer(as_json, one.as_json, one.lines())
