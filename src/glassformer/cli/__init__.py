"""The command line: what the user typed becomes a call of ``glassformer``, what comes back is printed."""

from importlib import import_module
from typing import Annotated

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import bench, data, doctor, recipes, stdout, tokenizer
from glassformer.cli.failure import Verbs

app = typer.Typer(
    cls=Verbs,
    name="glassformer",
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> bool:
    if asked:
        stdout.line(f"glassformer {gf.__version__}")
        raise typer.Exit
    return asked


@app.callback()
def root(
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only warnings and failures on stderr.")
    ] = False,
) -> None:
    """Train, score and use Transformers and what came before on an ordinary machine.

    [bold]A first model, in about three minutes[/bold]
      glassformer demo
    [bold]A model of your own text or images[/bold]
      glassformer recipes ls
      glassformer recipes copy translation/small my.yaml
      glassformer parameters my.yaml
      glassformer train my.yaml data.train=train.tsv data.valid=valid.tsv -o runs/x
      glassformer evaluate runs/x --data test.tsv
    [bold]What it can do then[/bold]
      echo "안녕하세요" | glassformer translate runs/x    translation
      glassformer generate runs/gpt "Once upon a time"   GPT, LLaMA, RNN; score
      glassformer predict runs/bert "티끌 \\[MASK] 태산"     BERT; labels, tags
      glassformer predict runs/vit photo.png             ViT
      glassformer words runs/words 서울 - 한국 + 일본     word2vec
    [bold]A published model[/bold]
      glassformer convert hf://openai-community/gpt2 models/gpt2

    glassformer VERB --help says more. Data goes to stdout, all else to stderr.
    Exit codes: 0 done, 1 failed while running, 2 a mistake in what was asked,
    130 and 143 stopped after saving.
    """
    report.quiet(quiet)


_MADE, _KEPT = ("demo", "train", "compare", "evaluate"), ("average", "shortlist", "convert", "parameters")
for _name in (*_MADE, "translate", "generate", "score", "predict", "shots", "words", *_KEPT):
    _verb = getattr(import_module(f"glassformer.cli.{_name}"), _name)
    app.command(_name, rich_help_panel="Models")(_verb)
app.add_typer(data.app, name="data", rich_help_panel="Text and recipes")
app.add_typer(tokenizer.app, name="tokenizer", rich_help_panel="Text and recipes")
app.command("doctor", rich_help_panel="Machine")(doctor.doctor)
app.command("bench", rich_help_panel="Machine", context_settings=bench.UNREAD)(bench.bench)
app.add_typer(recipes.app, name="recipes", rich_help_panel="Text and recipes")


def main() -> None:
    """Do what the command line says and end with its exit code."""
    stdout.prepare()
    app()
