"""``glassformer data``: what is wrong with files, and files to begin with."""

from pathlib import Path


def test_findings_are_told_and_the_check_itself_succeeds(ask, tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("나는 간다\tI go\n나는 간다\tI go\n", encoding="utf-8")
    ended = ask("data", "check", path, "--test", path)
    assert ended.code == 0
    assert f"{path}:2: the same pair as {path}:1" in ended.out
    told = ask("data", "check", path, "--test", path, "--json").result
    assert told["rows"] == {"train": 2, "test": 2}
    assert told["counts"]["leak"] == 2
    assert told["findings"][0]["where"].startswith(str(path))


def test_a_missing_file_is_a_mistake(ask):
    ended = ask("data", "check", "missing.tsv")
    assert (ended.code, ended.out, ended.err) == (2, "", "error: missing.tsv: no such file\n")


def test_a_sample_is_written_in_the_sizes_asked_for(ask, instead, tmp_path):
    calls = instead("write_samples", {"train": 50, "valid": 2, "test": 3})
    ended = ask("data", "sample", "-o", tmp_path, "--train", 50, "--valid", 2, "--test", 3, "--seed", 9)
    assert calls == [((Path(tmp_path),), {"train": 50, "valid": 2, "test": 3, "seed": 9})]
    assert ended.out == f"{tmp_path}: 50 train pairs, 2 valid pairs, 3 test pairs\n"
    told = ask("data", "sample", "-o", tmp_path, "--json").result
    assert told == {"output": str(tmp_path), "train": 50, "valid": 2, "test": 3}
