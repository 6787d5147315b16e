"""``glassformer demo`` shows samples, scores and the way to one's own text."""

from pathlib import Path

FOUND = {
    "bleu": 95.25,
    "chrf": 97.0,
    "seconds": 170.4,
    "samples": [{"source": "어제 카페 갔었어.", "target": "I went.", "reference": "I went to the café."}],
    "output": "runs/demo",
}


def test_a_reader_sees_the_sentences_the_scores_and_what_to_do_next(ask, instead):
    calls = instead("demo", FOUND)
    out = ask("demo").out
    assert calls == [((None, "translation"), {})]
    assert "  어제 카페 갔었어.\n→ I went.\n= I went to the café.\n" in out
    assert "BLEU 95.2" in out and "170 seconds" in out
    assert "glassformer translate runs/demo" in out
    assert "data.train=" in out


def test_json_is_the_only_line(ask, instead):
    calls = instead("demo", FOUND)
    ended = ask("demo", "--output", "x", "--json")
    assert ended.result == FOUND and ended.out.count("\n") == 1
    assert calls == [((Path("x"), "translation"), {})]


def test_a_language_model_and_digits_are_shown_too(ask, instead):
    common = {"seconds": 60.0, "output": "runs/x"}
    samples = [{"prompt": "A class", "text": " is a callable."}]
    instead("demo", {**common, "bits_per_byte": 2.345, "samples": samples})
    out = ask("demo", "gpt").out
    assert "A class│ is a callable." in out and "2.3" in out and "generate runs/x" in out
    image = {"image": [[0, 255], [128, 0]], "label": "7", "predicted": "1", "probability": 0.5}
    instead("demo", {**common, "accuracy": 0.975, "samples": [image]})
    out = ask("demo", "vit").out
    assert "    @@\n" in out and "→ 1 (50%); it is 7" in out and "97.5% of the unseen digits" in out
