"""``glassformer data prepare``: from text to a folder."""

from pathlib import Path

from glassformer.api.storing import Prepared


def test_what_was_typed_is_what_is_prepared(ask, instead, tmp_path):
    calls = instead("prepare_data", Prepared("store", 2, 30, 4_000_000))
    asked = ("data", "prepare", "a.txt", "b.jsonl", "--tokenizer", "v", "-o", "store", "--documents", "line")
    ended = ask(*asked, "--field", "body", "--processes", 3)
    expected = {"apart": "line", "field": "body", "processes": 3}
    assert calls == [((["a.txt", "b.jsonl"], Path("store"), Path("v")), expected)]
    assert ended.out == "store: 2 documents, 30 tokens, 4.0 MB\n"
    told = ask(*asked, "--json").result
    assert told == {"output": "store", "documents": 2, "tokens": 30, "bytes": 4_000_000}


def test_a_store_is_written_with_the_tokenizer_of_a_model(ask, model_folder, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("나는 학교에 간다\n\nI go to school\n", encoding="utf-8")
    asked = ("data", "prepare", path, "--tokenizer", model_folder, "--output", tmp_path / "store")
    ended = ask(*asked, "--json")
    assert (ended.code, ended.result["documents"]) == (0, 2)
    assert (tmp_path / "store" / "store.json").exists()
    again = ask(*asked)
    assert (again.code, again.out) == (2, "")
    assert again.err == f"error: {tmp_path / 'store'}: holds something already and is not overwritten; " + (
        "choose another folder\n"
    )


def test_text_on_stdin_is_prepared_too(ask, model_folder, tmp_path):
    asked = ("data", "prepare", "-", "--tokenizer", model_folder, "--output", tmp_path / "store", "--json")
    assert ask(*asked, text="a b\n\nc d\n").result["documents"] == 2
