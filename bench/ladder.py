"""Context vector, attention, Transformer: as large, trained as long; one table of what each translates.

``python -m bench.ladder --minutes 10`` trains the recipes of recipes/translation/ladder one after another,
each for as many steps as fit into the minutes, and writes bench/ladder.md and bench/ladder.json. What is
there is kept: the same command goes on where it was stopped, and trains nothing twice.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import glassformer as gf
from glassformer.api.evaluation import read_pairs
from glassformer.api.preparing import prepare
from glassformer.api.recipe import read_recipe
from glassformer.api.recipes import folder as recipes
from glassformer.base import files, machine, report
from glassformer.base.errors import RunError, Stopped, UserError
from glassformer.base.tree import read_file
from glassformer.evaluate.lengths import by_length
from glassformer.train.compute import Gradients
from glassformer.train.optim import Optimizer
from glassformer.train.parallel import Group

RUNGS = ("context", "attention", "transformer")
DATA = {
    "generated": "the sentences that the package writes from its own grammar",
    "koen": "everyday Korean and English: koen-tatoeba, koen-jhe and koen-dialogue",
    "help": "the help pages of LibreOffice: koen-libreoffice-help",
}
# The longest source of each column, in words. What people say every day is short.
EDGES = {"generated": (3, 6, 9, 15), "koen": (2, 4, 6, 8), "help": (3, 6, 10, 15)}
EVALUATIONS = 5  # a run, the one at its end included
WARM_UP = 3  # steps before the clock
Found = dict[str, dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains what is not there yet, and writes the tables after each model; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.ladder", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="training time of each model (10)")
    parser.add_argument("--data", choices=DATA, default="generated")
    parser.add_argument("--models", nargs="+", default=RUNGS, metavar="RUNG", help=f"of {', '.join(RUNGS)}")
    parser.add_argument("--runs", type=Path, default=Path("runs/ladder"), help="where the models go")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="where the tables go")
    parser.add_argument("--again", action="store_true", help="also what has been measured")
    parser.add_argument("--set", nargs="*", default=[], metavar="a.b=c", help="settings of every recipe")
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.models if name not in known()]:
        parser.error(f"there is no recipe {unknown[0]}; there are {', '.join(known())}")
    try:
        failed = [name for name in chosen.models if not climbed(name, chosen)]
    except Stopped as stopped:
        report.say("stopped; the same command goes on")
        return stopped.exit_code
    except UserError as error:
        report.fail(str(error))
        return 2
    report.say((chosen.output / "ladder.md").read_text("utf-8"))
    return 1 if failed else 0


def known() -> list[str]:
    """The recipes of the ladder."""
    return sorted(path.stem for path in (recipes() / "translation" / "ladder").glob("*.yaml"))


def climbed(name: str, chosen: argparse.Namespace) -> bool:
    """Trains and measures one model unless that is done, and writes it down; whether all went well."""
    asked = {"minutes": chosen.minutes, "settings": chosen.set}
    found = _read(chosen.output)
    row = found.setdefault(chosen.data, {}).get(name, {})
    if chosen.again or {key: row.get(key) for key in asked} != asked:
        row = asked
    if "bleu" in row:
        report.say(f"{name} on {chosen.data}: measured before")
        return True
    recipe = recipes() / "translation" / "ladder" / f"{name}.yaml"
    settings = [*_data(chosen.data), *chosen.set]
    if "steps" not in row:
        report.say(f"{name} on {chosen.data}: how many steps fit into {chosen.minutes:g} minutes")
        row = row | {"steps": fitting(recipe, settings, chosen.minutes), "begun": int(time.time())}
        found[chosen.data][name] = row
        _write(chosen.output, found)
    try:
        row = row | measured(
            recipe, settings, row, chosen.runs / f"{chosen.data}-{name}-{row['begun']}", chosen.data
        )
    except RunError as error:
        report.fail(f"{name}: {error}")
        return False
    found[chosen.data][name] = row
    _write(chosen.output, found)
    return True


def _data(data: str) -> list[str]:
    """The settings that lead a recipe of the ladder to this data; its own is what is generated."""
    if data == "generated":
        return []
    read = read_file(recipes() / "translation" / "koen-everyday.yaml").values["data"]
    if data == "help":
        place = "$GLASSFORMER_DATA/koen-libreoffice-help"
        files_of = {"train": "train.ko-en.tsv.gz", "valid": "dev.ko-en.tsv", "test": "test.ko-en.tsv"}
        read = read | {split: f"{place}/{name}" for split, name in files_of.items()}
    return [f"data={json.dumps(read)}", "tokenizer.vocab_size=4000", "model.dropout=0.1", "train.best=bleu"]


def fitting(recipe: Path, settings: Sequence[str], minutes: float) -> int:
    """How many steps take so many minutes, told from a tenth of that time."""
    found = machine.look()
    machine.prepare(found)
    parts = prepare(read_recipe(recipe, settings))
    low = machine.precision(parts.recipe.train.precision, found) == "bfloat16"
    optimizer = Optimizer(parts.model.train(), parts.recipe.optim, bfloat16=low)
    gradients = Gradients(parts.model, parts.objective, optimizer, Group(), seed=1, compiled=False)
    began, done = 0.0, -WARM_UP
    for batch, _ in parts.train.batches():
        if done == 0:
            began = time.monotonic()
        gradients([batch], done + WARM_UP + 1)
        optimizer.step(1e-4)
        done += 1
        if done > WARM_UP and time.monotonic() - began > 6 * minutes:
            break
    return max(EVALUATIONS, round(60 * minutes * done / (time.monotonic() - began)))


def measured(
    recipe: Path, settings: Sequence[str], row: Mapping[str, Any], folder: Path, data: str
) -> dict[str, Any]:
    """The figures of one model, trained now or gone on with."""
    every = max(1, row["steps"] // EVALUATIONS)
    length = [f"train.steps={row['steps']}", "train.time_limit=null"]
    rhythm = [f"train.evaluate_every={every}", f"train.save_every={every}"]
    trained = gf.train(recipe, [*settings, *length, *rhythm], output=folder, resume=True)
    asked: Any = read_recipe(recipe, settings).data
    test = [one.path for one in asked.test]
    told = folder / "test.txt"
    scores: Any = gf.evaluate(folder, test, source=asked.source, target=asked.target, output=told)
    pairs = read_pairs(test, asked.source, asked.target, None)
    lengths = by_length(
        [one for one, _ in pairs],
        told.read_text("utf-8").splitlines(),
        [[other for _, other in pairs]],
        edges=EDGES[data],
    )
    return {
        "parameters": trained["parameters"],
        "seconds": trained["seconds"],
        "tokens_per_second": trained["tokens_per_second"],
        "best_step": trained["best_step"],
        "bleu": scores.bleu.value,
        "chrf": scores.chrf.value,
        "signature": scores.bleu.signature,
        "lengths": [one.as_json() | {"name": one.name} for one in lengths],
        "machine": machine.sentence(machine.look(), machine.precision("auto", machine.look())),
    }


# --- the tables --------------------------------------------------------------------------------------------


def _read(output: Path) -> Found:
    path = output / "ladder.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _write(output: Path, found: Found) -> None:
    output.mkdir(parents=True, exist_ok=True)
    files.write_text(output / "ladder.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    files.write_text(output / "ladder.md", written(found))


def written(found: Found) -> str:
    """The tables in Markdown; what is not measured yet is left out."""
    parts = ["# The ladder", "Context vector, attention, Transformer; written by `python -m bench.ladder`."]
    for data, rows in found.items():
        done = {name: row for name, row in rows.items() if "bleu" in row}
        if done:
            order = sorted(done, key=lambda name: (RUNGS.index(name) if name in RUNGS else len(RUNGS), name))
            parts += [f"## {data}", _about(data, done), _scores(done, order), *_by_length(done, order)]
    return "\n\n".join(parts) + "\n"


def _about(data: str, rows: Mapping[str, Any]) -> str:
    one = next(iter(rows.values()))
    minutes = ", ".join(sorted({f"{row['minutes']:g}" for row in rows.values()}))
    settings = "".join(f", {setting}" for setting in one["settings"])
    return (
        f"Korean → English, {DATA[data]}; one seed, {minutes} minutes of training each on {one['machine']}"
        f"{settings}. BLEU is `{one['signature']}`."
    )


def _scores(rows: Mapping[str, Any], order: Sequence[str]) -> str:
    cells = [
        [
            name,
            f"{rows[name]['parameters']:,}",
            f"{rows[name]['steps']:,}",
            f"{rows[name]['seconds'] / 60:.1f}",
            f"{rows[name]['tokens_per_second']:,.0f}",
            f"{rows[name]['bleu']:.1f}",
            f"{rows[name]['chrf']:.1f}",
        ]
        for name in order
    ]
    return _table(["", "parameters", "steps", "minutes", "tokens/s", "BLEU", "chrF++"], cells)


def _by_length(rows: Mapping[str, Any], order: Sequence[str]) -> list[str]:
    """BLEU by the words of the source; a bucket is a column, its sentences in the second row."""
    buckets = {one["name"]: one["sentences"] for name in order for one in rows[name]["lengths"]}
    cells = [["sentences", *(str(count) for count in buckets.values())]]
    for name in order:
        scores = {one["name"]: f"{one['bleu']:.1f}" for one in rows[name]["lengths"]}
        cells.append([name, *(scores.get(bucket, "") for bucket in buckets)])
    return ["BLEU by the words of the source:", _table(["", *buckets], cells)]


def _table(head: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
