"""``glassformer shortlist``, and ``translate`` with what it wrote."""

from tiny_folder import PAIRS


def test_a_shortlist_is_made_and_used(ask, model_folder, tmp_path):
    pairs, words = tmp_path / "train.tsv", tmp_path / "words.safetensors"
    pairs.write_text("".join(f"{one}\t{other}\n" for one, other in PAIRS * 20), encoding="utf-8")
    made = ask(
        "shortlist", model_folder, "--data", pairs, "-o", words, "--likely", 4, "--always", 3, "--json"
    )
    assert made.code == 0 and made.result["pairs"] == 79 and made.result["held_out"] == 1
    text = "\n".join(source for source, _ in PAIRS)
    listed = ask("translate", model_folder, "--shortlist", words, "--max-new-tokens", 4, text=text)
    free = ask("translate", model_folder, "--max-new-tokens", 4, text=text)
    assert listed.code == free.code == 0 and len(listed.out.splitlines()) == 4
    assert listed.out != free.out


def test_what_is_no_shortlist_is_told_in_one_sentence(ask, model_folder, tmp_path):
    ended = ask("translate", model_folder, "--shortlist", tmp_path / "none", text="나는")
    assert ended.code == 2 and "there is no such file" in ended.err and "Traceback" not in ended.err
    ended = ask("shortlist", model_folder, "--data", tmp_path / "none.tsv", "-o", tmp_path / "words")
    assert ended.code == 2 and not (tmp_path / "words").exists()
