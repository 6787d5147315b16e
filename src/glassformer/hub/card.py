"""The model card: what a model is, how well it does, where its limits are, in figures the caller measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from glassformer.hub.uses import IMAGE, USES

NAMES = {"ko": ("Korean", "한국어"), "en": ("English", "영어")}


@dataclass(frozen=True)
class Score:
    """One measured figure: ``name`` ("BLEU"), its signature, the data and the command that gave it."""

    name: str
    value: float
    data: str
    signature: str = ""
    command: str = ""


@dataclass(frozen=True)
class Data:
    """What a model was trained on: a name, what it holds, and its licence, "unknown" unless given."""

    name: str
    description: str = ""
    license: str = "unknown"


@dataclass(frozen=True)
class Bent:
    """What an adapter's card tells of its base: where it is, as an address or a path from the folder.

    ``way`` is peft's name of the adapter, None where peft knows no such one or ``transformers`` no such base;
    ``labels`` are as many as a head on the base must have there, 0 without one.
    """

    base: str
    way: str | None = None
    labels: int = 0

    @property
    def named(self) -> str:
        """What hubs and ``from_pretrained`` call the base."""
        return self.base.removeprefix("hf://")


@dataclass(frozen=True)
class Card:
    """Everything a card tells.

    ``languages`` are source and target as codes ("ko", "en"); ``license`` is the model's own;
    ``architecture`` is the class of ``transformers`` that opens the folder, None where it has none;
    ``ability`` is what the model can do, as it says itself; ``bent`` is told of an adapter alone.
    """

    title: str
    parameters: int
    languages: tuple[str, ...] = ()
    license: str = "unknown"
    scores: tuple[Score, ...] = ()
    data: tuple[Data, ...] = ()
    parents: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    architecture: str | None = "MarianMTModel"
    ability: str = "translates"
    bent: Bent | None = None


def plain_card(
    name: str,
    written: Mapping[str, Any],
    parameters: int,
    parents: Sequence[str] = (),
    ability: str = "translates",
    *,
    bent: Bent | None = None,
) -> str:
    """The card of a model about which nothing was measured, from its ``config.json``."""
    return render(
        Card(
            f"Glassformer {name}",
            parameters,
            parents=tuple(parents),
            architecture=architecture_of(written),
            ability=ability,
            bent=bent,
        )
    )


def architecture_of(written: Mapping[str, Any]) -> str | None:
    """The class of ``transformers`` that opens a folder with this ``config.json``, None where it has none."""
    own_head = written.get("glassformer_head", {"form": "native"}).get("form", "own") == "own"
    own = str(written.get("model_type", "")).startswith("glassformer") or own_head
    return None if own else next(iter(written.get("architectures", ())), None)


def render(card: Card) -> str:
    """The card as Markdown with a YAML head that model hubs read."""
    sections = (_what, _scores, _data, _use, _limits, _korean)
    parts = [_head(card), f"# {card.title}", *(section(card) for section in sections)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(card: Card) -> str:
    translates = card.ability == "translates" and len(card.languages) == 2
    head: dict[str, Any] = {
        "language": list(card.languages),
        "license": card.license,
        "library_name": _library(card),
        "tags": ["glassformer", *(["translation"] if translates else [])],
    }
    if card.bent is not None:
        head["base_model"] = card.bent.named
        head["tags"] += [f"base_model:adapter:{card.bent.named}"]
        head["tags"] += [card.bent.way.lower()] if card.bent.way else []
    task = USES[card.ability].task
    if translates or (task is not None and card.ability != "translates"):
        head["pipeline_tag"] = task
    if card.scores:
        head["metrics"] = sorted({score.name.lower() for score in card.scores})
        head["model-index"] = [
            {"name": card.title, "results": [_result(score, task) for score in card.scores]}
        ]
    if not card.languages:
        del head["language"]
    text = StringIO()
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.representer.sort_base_mapping_type_on_output = False
    yaml.dump(head, text)
    return f"---\n{text.getvalue()}---"


def _library(card: Card) -> str:
    """The library by which hubs open the folder."""
    if card.bent is not None:
        return "peft" if card.bent.way else "glassformer"
    return "transformers" if card.architecture else "glassformer"


def _result(score: Score, task: str | None) -> dict[str, Any]:
    return {
        "task": {"type": task or "other"},
        "dataset": {"name": score.data, "type": score.data},
        "metrics": [{"type": score.name.lower(), "name": score.name, "value": score.value}],
    }


def _what(card: Card) -> str:
    direction = ""
    if len(card.languages) == 2:
        direction = " that translates from {} to {}".format(*(_names(code)[0] for code in card.languages))
    size = f"{card.parameters:,} parameters, {4 * card.parameters / 1e6:,.1f} MB as float32"
    made = f" It was made from: {', '.join(card.parents)}." if card.parents else ""
    bent = "" if card.bent is None else f" It is an adapter of {card.bent.base}, whose weights it needs."
    return f"A model{direction}, written by Glassformer: {size}.{made}{bent}"


def _scores(card: Card) -> str:
    if not card.scores:
        return "## Scores\n\nNot measured. Measure it on text like your own before you rely on it."
    lines = ["## Scores", "", "| metric | value | data | signature |", "|---|---:|---|---|"]
    for score in card.scores:
        cells = [score.name, f"{score.value:.2f}", _cell(score.data), _code(score.signature)]
        lines.append(f"| {' | '.join(cells)} |")
    commands = dict.fromkeys(score.command for score in card.scores if score.command)
    if commands:
        lines += ["", "Measured with:", "", "```sh", *commands, "```"]
    return "\n".join(lines)


def _data(card: Card) -> str:
    if not card.data:
        return ""
    lines = ["## Training data", ""]
    for data in card.data:
        description = f": {data.description}" if data.description else ""
        lines.append(f"- {data.name}{description} (licence: {data.license})")
    return "\n".join(lines)


def _use(card: Card) -> str:
    use = USES[card.ability]
    lines = ["## Use", "", "```sh", use.command.format(folder="THIS_FOLDER"), "```", ""]
    lines += [
        "```python",
        "import glassformer as gf",
        "",
        'model = gf.load("THIS_FOLDER")',
        use.python,
        "```",
        "",
    ]
    if card.architecture is None:
        return "\n".join([*lines, "`transformers` has no such architecture and cannot open this folder."])
    if card.bent is not None and card.bent.way is None:
        return "\n".join([*lines, "It is no adapter that `peft` knows, so this folder is for Glassformer."])
    reader = "processor" if use.reader == IMAGE else "tokenizer"
    lines += [] if card.bent is None else [PEFT, ""]
    lines += ["```python", *([] if card.bent is None else ["from peft import PeftModel"])]
    lines += [f"from transformers import {use.reader}, {card.architecture}", ""]
    lines += [f'{reader} = {use.reader}.from_pretrained("THIS_FOLDER")', *_opened(card)]
    return "\n".join([*lines, *use.foreign, "```"])


PEFT = "Elsewhere it needs `peft` and its base (`pip install peft`):"


def _opened(card: Card) -> list[str]:
    """The lines that open the model in ``transformers``, of an adapter through ``peft``."""
    if card.bent is None:
        return [f'model = {card.architecture}.from_pretrained("THIS_FOLDER")']
    labels = f", num_labels={card.bent.labels}" if card.bent.labels else ""
    where = card.bent.named if card.bent.base.startswith("hf://") else "BASE_FOLDER"
    return [
        f'base = {card.architecture}.from_pretrained("{where}"{labels})',
        'model = PeftModel.from_pretrained(base, "THIS_FOLDER")',
    ]


REPEATS = "It repeats what was in its data, including its mistakes and prejudices."


def _limits(card: Card) -> str:
    limits = (*USES[card.ability].limits, REPEATS, *card.limits)
    return "\n".join(["## Limits", "", *(f"- {limit}" for limit in limits)])


def _korean(card: Card) -> str:
    lines = [f"Glassformer로 만든 모델입니다. 매개변수는 {card.parameters:,}개입니다."]
    if len(card.languages) == 2:
        lines[0] = (
            "{}에서 {}(으)로 옮기는 번역 모델입니다".format(*(_names(code)[1] for code in card.languages))
            + f"(매개변수 {card.parameters:,}개)."
        )
    figures = ", ".join(f"{score.name} {score.value:.2f} ({score.data})" for score in card.scores)
    lines.append(f"측정한 점수: {figures}." if figures else "아직 점수를 재지 않았습니다.")
    if USES[card.ability].invents:
        lines.append(
            "빠뜨리거나 지어내는 말이 있고 이름과 숫자가 틀릴 수 있으니, 결과는 사람이 확인해야 합니다."
        )
    else:
        lines.append("학습 데이터와 다른 자료에서는 틀릴 수 있으니, 결과는 사람이 확인해야 합니다.")
    return "## 한국어\n\n" + " ".join(lines)


def _names(code: str) -> tuple[str, str]:
    return NAMES.get(code, (code, code))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    # A signature holds bars, which would end the table's cell.
    return f"`{_cell(text)}`" if text else ""
