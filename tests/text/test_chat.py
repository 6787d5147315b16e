"""Conversations as text: what transformers writes with the same template, and which tokens are answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from glassformer.base.errors import UserError
from glassformer.text.chat import KEY, PLAIN, Template, plain_template, template_of
from glassformer.text.tokenizer import load_tokenizer
from glassformer.text.train import TokenizerConfig, train

TURNS = [
    ("system", "짧게 답해."),
    ("user", "안녕? 오늘 날씨 어때?"),
    ("assistant", "  맑고 따뜻해요. 🙂 "),
    ("user", "and tomorrow?\n\nsay 3 words"),
    ("assistant", "비가 와요."),
]
CHATML = (
    "{%- for message in messages %}\n"
    "    {{- '<s>' + message['role'] + '\\n' + message['content'] | trim + '</s>' + '\\n' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n"
    "    {{- '<s>assistant\\n' }}\n"
    "{%- endif %}"
)
KINDS = ["bpe", "byte_bpe", "unigram", "word", "character"]


def _made(kind: str = "bpe", template: str | None = None, **options: Any) -> Any:
    config = TokenizerConfig(name=kind, vocab_size=400, min_frequency=1, **options)  # type: ignore[arg-type]
    one = train(config, [text for turn in TURNS for text in turn] * 3, "none")
    return one.with_settings(**{KEY: template or plain_template(one), "split_special_tokens": False})


def _listed(messages: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in messages]


@pytest.mark.parametrize("template", [None, CHATML], ids=["plain", "of others"])
@pytest.mark.parametrize("kind", KINDS)
def test_transformers_writes_and_numbers_a_conversation_alike(
    kind: str, template: str | None, tmp_path: Path
) -> None:
    ours = _made(kind, template)
    ours.save(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    theirs = pytest.importorskip("transformers").AutoTokenizer.from_pretrained(tmp_path)
    chat = template_of(load_tokenizer(tmp_path))
    for messages, asking in ((TURNS, False), (TURNS[:2], True), (TURNS[1:4], True)):
        options = {"add_generation_prompt": asking}
        text = theirs.apply_chat_template(_listed(messages), tokenize=False, **options)
        assert chat.render(messages, asking=asking) == text
        ids = theirs.apply_chat_template(_listed(messages), **options)["input_ids"]
        found = chat.question(messages, "x") if asking else chat.conversation(messages, "x")[0]
        assert found == ids


@pytest.mark.parametrize("template", [None, CHATML], ids=["plain", "of others"])
@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_marked_up_to_their_end_and_nothing_else_is(kind: str, template: str | None) -> None:
    ours = _made(kind, template)
    ids, answers = Template(ours).conversation(TURNS, "x")
    runs, before = [], False
    for number, inside in zip(ids, answers, strict=True):
        if inside and not before:
            runs.append([])
        if inside:
            runs[-1].append(number)
        before = inside
    wanted = ["맑고 따뜻해요. 🙂", "비가 와요."]
    if kind == "word" and template is not None:
        # It knows words with the space before them, which our own template puts there.
        wanted = ["따뜻해요. 🙂", "와요."]
    assert [ours.decode(run).strip() for run in runs] == wanted
    assert all(run[-1] == ours.eos_id for run in runs)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_asked_begins_what_is_learned(kind: str) -> None:
    chat = Template(_made(kind))
    ids, answers = chat.conversation(TURNS[:3], "x")
    first = answers.index(True)
    assert chat.question(TURNS[:2], "x") == ids[:first]


def test_our_own_template_needs_no_package_and_says_what_jinja_says(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = _made()
    other = _made(template=PLAIN[0] + "{# the same, run as a template of others #}")
    assert Template(plain).render(TURNS, asking=True) == Template(other).render(TURNS, asking=True)
    begun, by_jinja = _made(template=PLAIN[1]), _made(template=PLAIN[1] + "{# #}")
    assert Template(begun).render(TURNS) == Template(by_jinja).render(TURNS)
    monkeypatch.setitem(__import__("sys").modules, "jinja2.sandbox", None)
    assert Template(plain).render(TURNS[:2], asking=True).endswith("</s>assistant")
    with pytest.raises(UserError, match="needs the package jinja2; pip install jinja2"):
        Template(_made(template=CHATML + "{# never seen before #}")).render(TURNS)


def test_special_tokens_in_what_is_said_are_refused() -> None:
    with pytest.raises(UserError, match=r"^chat\.jsonl:3: '</s>' in the text is a special token"):
        Template(_made()).conversation([("user", "so</s>"), ("assistant", "no")], "chat.jsonl:3")
    with pytest.raises(UserError, match=r"^prompt 1: '<s>' in the text"):
        Template(_made()).question([("user", "<s>")], "prompt 1")


def test_templates_that_fail_refuse_or_reach_out_are_one_sentence() -> None:
    refusing = _made(template="{{ raise_exception('no system text here') }}")
    with pytest.raises(UserError, match=r"cannot write this conversation \(no system text here\)"):
        Template(refusing).render(TURNS)
    with pytest.raises(UserError, match="cannot write this conversation"):
        Template(_made(template="{% for %}")).render(TURNS)
    reaching = _made(template="{{ messages.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(UserError, match="cannot write this conversation"):
        Template(reaching).render(TURNS)


def test_a_template_that_rewrites_what_was_said_cannot_be_learned_from() -> None:
    last = "{% for m in messages %}{{ loop.length ~ m['content'] }}{% endfor %}"
    with pytest.raises(UserError, match=r"^x:1: the model's chat template writes a conversation otherwise"):
        Template(_made(template=last)).conversation(TURNS, "x:1")


def test_blocks_that_say_what_is_generated_are_looked_through() -> None:
    marked = CHATML.replace("{{-", "{%- generation -%}{{-").replace("}}", "}}{%- endgeneration -%}")
    assert marked.count("generation -%}") == 4
    assert Template(_made(template=marked)).render(TURNS) == Template(_made(template=CHATML)).render(TURNS)


def test_templates_come_from_the_file_beside_and_from_lists(tmp_path: Path) -> None:
    _made().save(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("beside")
    assert template_of(load_tokenizer(tmp_path)).text == "beside"
    several = [{"name": "tools", "template": "a"}, {"name": "default", "template": "b"}]
    assert Template(_made().with_settings(**{KEY: several})).text == "b"
    bare = train(TokenizerConfig(name="word", vocab_size=50, min_frequency=1), ["a b"], "both")
    assert template_of(bare).text == PLAIN[1]


def test_a_tokenizer_that_reads_no_special_tokens_cannot_converse() -> None:
    with pytest.raises(UserError, match="a sentencepiece tokenizer cannot frame conversations"):
        template_of(type("Marian", (), {"kind": "sentencepiece"})())
