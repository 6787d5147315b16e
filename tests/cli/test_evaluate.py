"""``glassformer evaluate`` scores a model folder on files, alone or against another."""

import pytest

PAIRS = "ko\ten\n나는 학교에 간다\tI go to school\n너는 집에 온다\tYou come home\n"


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "test.tsv"
    path.write_text(PAIRS, encoding="utf-8")
    return path


def test_the_json_has_the_keys_that_scripts_rely_on(ask, model_folder, pairs):
    ended = ask("evaluate", model_folder, "--data", pairs, "--max-new-tokens", 4, "--json")
    assert ended.code == 0
    assert {"bleu", "chrf", "ter", "signature", "sentences", "seconds"} <= set(ended.result)
    assert ended.result["sentences"] == 2
    assert ended.result["signature"].startswith("nrefs:1|")


def test_several_files_a_limit_and_saved_translations(ask, model_folder, pairs, tmp_path):
    saved = tmp_path / "out.txt"
    words = ("evaluate", model_folder, "--data", pairs, "--data", pairs, "--limit", 3, "--max-new-tokens", 4)
    assert ask(*words, "--save-translations", saved, "--json").result["sentences"] == 3
    lines = saved.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    found = ask("translate", model_folder, "--max-new-tokens", 4, text="나는 학교에 간다\n").out
    assert lines[0] == lines[2] == found.rstrip("\n")
    ended = ask(*words, "--compare", saved, "--json")
    assert ended.result["comparison"][0]["delta"] == 0.0


def test_only_what_was_typed_replaces_the_decoding_of_the_folder(ask, model_folder, pairs, instead):
    calls = instead("evaluate", type("Report", (), {"as_json": lambda self: {}})())
    ask("evaluate", model_folder, "--data", pairs, "--length-penalty", 1.5, "--json")
    ask("evaluate", model_folder, "--data", pairs, "--json")
    assert [named["settings"] for _, named in calls] == [{"length_penalty": 1.5}, {}]


def test_the_device_is_that_of_load_and_another_is_refused(ask, model_folder, pairs, instead):
    ended = ask("evaluate", model_folder, "--data", pairs, "--device", "gpu:9")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no device 'gpu:9' here; choose auto or cpu" in ended.err
    calls = instead("evaluate", type("Report", (), {"as_json": lambda self: {}})())
    ask("evaluate", model_folder, "--data", pairs, "--device", "cpu", "--json")
    ask("evaluate", model_folder, "--data", pairs, "--json")
    assert [named["device"] for _, named in calls] == ["cpu", "auto"]


def test_for_a_reader_there_are_tables(ask, model_folder, pairs):
    out = ask("evaluate", model_folder, "--data", pairs, "--max-new-tokens", 4).out
    assert "chrF++" in out and "signature" in out and "2 sentences" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data", "missing.tsv"), "missing.tsv"),
        ((), "Missing option '--data'"),
        (("--data", "{pairs}", "--num-beams", "0"), "--num-beams"),
        (("--data", "{pairs}", "--n-best", "9"), "raise num_beams"),
        (("--data", "{pairs}", "--compare", "nothing.txt"), "nothing.txt"),
    ],
)
def test_mistakes_are_told_with_exit_code_two(ask, model_folder, pairs, words, said):
    ended = ask("evaluate", model_folder, *(word.format(pairs=pairs) for word in words))
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
