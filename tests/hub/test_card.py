"""The model card says what was measured, how, and what was not."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from glassformer.hub.card import Bent, Card, Data, Score, architecture_of, render

SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.5.1"
CARD = Card(
    "Korean to English, small",
    1_234_567,
    languages=("ko", "en"),
    scores=(
        Score("BLEU", 12.3456, "dev.tsv", SIGNATURE, "glassformer evaluate runs/x dev.tsv"),
        Score("chrF2", 34.5, "dev.tsv", "nrefs:1|case:mixed", "glassformer evaluate runs/x dev.tsv"),
    ),
    data=(Data("train.tsv", "4,000 pairs", "CC-BY 2.0"), Data("more.tsv")),
    parents=("run/step-1",),
    limits=("It knows only talk about farming.",),
)


def _head(text: str) -> dict[str, object]:
    begin, head, _ = text.split("---\n", 2)
    assert begin == ""
    return dict(YAML(typ="safe").load(head))


def test_the_head_is_yaml_that_hubs_read() -> None:
    head = _head(render(CARD))
    assert head["language"] == ["ko", "en"]
    assert head["license"] == "unknown"
    assert head["pipeline_tag"] == "translation"
    assert head["metrics"] == ["bleu", "chrf2"]
    results = head["model-index"][0]["results"]  # type: ignore[index]
    assert results[0]["metrics"] == [{"type": "bleu", "name": "BLEU", "value": 12.3456}]


def test_every_figure_stands_with_its_data_signature_and_command() -> None:
    text = render(CARD)
    escaped = SIGNATURE.replace("|", r"\|")
    assert f"| BLEU | 12.35 | dev.tsv | `{escaped}` |" in text
    assert text.count("glassformer evaluate runs/x dev.tsv") == 1
    assert "1,234,567 parameters, 4.9 MB" in text
    assert "translates from Korean to English" in text
    assert "- train.tsv: 4,000 pairs (licence: CC-BY 2.0)" in text
    assert "- more.tsv (licence: unknown)" in text
    assert "It was made from: run/step-1." in text
    assert "- It knows only talk about farming." in text


def test_there_is_a_korean_paragraph() -> None:
    text = render(CARD)
    assert "한국어에서 영어(으)로 옮기는 번역 모델입니다(매개변수 1,234,567개)." in text
    assert "측정한 점수: BLEU 12.35 (dev.tsv), chrF2 34.50 (dev.tsv)." in text


def test_nothing_is_claimed_that_was_not_measured() -> None:
    text = render(Card("Unmeasured", 10))
    assert "Not measured." in text
    assert "아직 점수를 재지 않았습니다." in text
    head = _head(text)
    assert "metrics" not in head
    assert "language" not in head


def test_the_use_of_transformers_is_shown_only_where_it_works() -> None:
    assert "MarianMTModel.from_pretrained" in render(CARD)
    own = render(Card("Own", 10, architecture=None))
    assert "from_pretrained" not in own
    assert "`transformers` has no such architecture" in own
    assert architecture_of({"model_type": "marian", "architectures": ["MarianMTModel"]}) == "MarianMTModel"
    assert architecture_of({"model_type": "glassformer-x", "architectures": ["X"]}) is None


def test_a_title_with_yaml_signs_stays_one_title() -> None:
    head = _head(render(Card("a: b # c\n- d", 10, scores=(Score("BLEU", 1.0, "x: [y"),))))
    assert head["model-index"][0]["name"] == "a: b # c\n- d"  # type: ignore[index]


@pytest.mark.parametrize(
    ("ability", "command", "python"),
    [
        ("translates", "glassformer translate", "model.translate("),
        ("generates", "glassformer generate", "model.generate("),
        ("encodes", "glassformer predict", "model.predict("),
        ("sees", "glassformer predict", "model.predict("),
    ],
)
def test_the_use_that_is_shown_is_that_of_the_model(ability: str, command: str, python: str) -> None:
    text = render(Card("Mine", 10, ability=ability, architecture="SomeModel"))
    assert f"{command} THIS_FOLDER" in text
    assert python in text
    assert "SomeModel.from_pretrained" in text
    assert ("AutoImageProcessor" in text) is (ability == "sees")
    assert ("AutoTokenizer" in text) is (ability != "sees")
    assert text.count("- It ") + text.count("- Text") + text.count("- Of") >= 2
    assert "결과는 사람이 확인해야 합니다." in text


def test_hubs_are_told_what_a_model_is_for_where_they_have_a_word() -> None:
    scores = (Score("perplexity", 9.0, "valid.txt"),)
    head = _head(render(Card("Mine", 10, ability="generates", scores=scores)))
    assert head["pipeline_tag"] == "text-generation"
    assert head["model-index"][0]["results"][0]["task"] == {"type": "text-generation"}  # type: ignore[index]
    assert "pipeline_tag" not in _head(render(Card("Mine", 10, ability="encodes")))


def _adapter(base: str, way: str | None = "LORA", labels: int = 0) -> str:
    return render(Card("Mine", 10, ability="classifies", architecture="X", bent=Bent(base, way, labels)))


def test_an_adapter_names_its_base_as_peft_and_hubs_expect() -> None:
    head = _head(_adapter("hf://owner/name"))
    assert (head["library_name"], head["base_model"]) == ("peft", "owner/name")
    assert head["tags"] == ["glassformer", "base_model:adapter:owner/name", "lora"]
    assert _head(_adapter("../base"))["base_model"] == "../base"
    text = _adapter("../base", labels=3)
    assert "It is an adapter of ../base, whose weights it needs." in text
    assert "needs `peft` and its base (`pip install peft`)" in text
    assert 'base = X.from_pretrained("BASE_FOLDER", num_labels=3)' in text
    assert 'model = PeftModel.from_pretrained(base, "THIS_FOLDER")' in text
    assert 'X.from_pretrained("owner/name")' in _adapter("hf://owner/name")


def test_what_peft_does_not_know_is_not_said_to_open_there() -> None:
    text = _adapter("../base", None)
    assert "from_pretrained" not in text and "no adapter that `peft` knows" in text
    assert _head(text)["library_name"] == "glassformer"
    assert "base_model" not in _head(render(CARD))
