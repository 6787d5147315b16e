"""The verb ``generate``: a prompt in, what follows it out."""

from typing import Annotated, Any, Literal

import typer

import glassformer as gf
from glassformer.base.errors import UserError
from glassformer.cli import stdout
from glassformer.cli.options import Device, Dtype, Lines, Model, takes_generation

Prompt = Annotated[str | None, typer.Argument(metavar="PROMPT", show_default=False, help="One prompt.")]
Input = Annotated[str | None, typer.Option("--input", "-i", metavar="FILE", help="Prompts; - is stdin.")]
Whole = Annotated[bool, typer.Option("--with-prompt", help="Print the prompt together with the text.")]
Chat = Annotated[bool, typer.Option("--chat", help="Take prompts for questions, and answer them.")]
System = Annotated[str | None, typer.Option(metavar="TEXT", help="With --chat: what is said beforehand.")]
TooLong = Annotated[
    Literal["refuse", "cut"], typer.Option(help="What to do with a prompt longer than the model.")
]


@takes_generation
def generate(
    folder: Model,
    prompt: Prompt = None,
    *,
    decoding: dict[str, Any],
    input: Input = None,
    with_prompt: Whole = False,
    chat: Chat = False,
    system: System = None,
    too_long: TooLong = "refuse",
    device: Device = "auto",
    dtype: Dtype = "auto",
    as_json: Lines = False,
) -> None:
    """Go on with text: PROMPT, or a prompt a line. A backward model writes what stands before.

    The text of PROMPT is shown while it is written. Of a file each prompt
    becomes a line, in which line breaks are written as \\n. With --n-best it
    becomes several:
      number ||| text ||| logp ||| score

    [bold]Examples[/bold]
      glassformer generate runs/stories "Once upon a time" --max-new-tokens 100
      glassformer generate runs/stories "어제" --sample --temperature 0.8
      glassformer generate runs/stories "Tim said:" --stop "." --with-prompt
      glassformer generate runs/chatbot --chat "오늘 너무 피곤해"
      glassformer generate runs/stories --input prompts.txt --json > texts.jsonl
    """
    if prompt is not None and input is not None:
        raise UserError("there is a PROMPT and --input; give one of them")
    model = gf.load(folder, able="generates", device=device, dtype=dtype)
    if chat or system is not None:
        model = model.conversing([] if system is None else [("system", system)])
    settings = gf.choose(model.decoding, decoding)
    if prompt is not None and not as_json and settings.num_return_sequences == 1:
        _show(model, prompt, with_prompt, model.streamed(prompt, settings, too_long=too_long))
        return
    source = (input or "-") if prompt is None else [prompt]
    typing = stdout.typed(source, "a prompt")
    with stdout.progress("generating", shown=not typing) as count:
        options = {"too_long": too_long, "window": 1 if typing else 1024, "on_progress": count}
        for one in gf.completions(model, source, settings, **options):
            stdout.answer(as_json, one.as_json, one.lines(with_prompt=with_prompt))


def _show(model: Any, prompt: str, with_prompt: bool, pieces: Any) -> None:
    """The text as it is written."""
    if with_prompt and not model.backward:
        stdout.line(prompt, end="")
    for piece in pieces:
        stdout.line(piece, end="")
    stdout.line(prompt if with_prompt and model.backward else "")
