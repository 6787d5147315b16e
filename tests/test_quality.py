"""What a precision costs is measured by the very figures of each kind of model, with the integers there."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from bench import products, quality
from tests.api.tiny_family import write_gpt
from tests.api.tiny_folder import PAIRS, write_model

from glassformer.api import loading
from glassformer.base.errors import UserError
from glassformer.nn import int8
from glassformer.nn.packed import LEAST

pytestmark = pytest.mark.skipif(not (int8.can() and int8.exact()), reason="no exact int8 products here")


@pytest.fixture(autouse=True)
def paying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "int8_pays", lambda _: True)


def _written(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(line + "\n" for line in lines), "utf-8")
    return path


def test_a_writer_has_a_perplexity_in_every_precision_and_integers_change_it_little(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_gpt(tmp_path / "gpt")
    data = _written(tmp_path / "text.txt", ["a b a", "", "b a b a", "a"])
    least = dict(LEAST)
    found = quality.quality(folder, [str(data)])
    assert list(found) == list(quality.FORMS)
    assert {*found["float32"]} == {"perplexity", "bits per byte"}
    assert found["int8"] == found["float32"]  # no matrix is large enough
    exact, near = found["float32"]["perplexity"], found["int8, small matrices too"]["perplexity"]
    assert exact != near
    assert math.isclose(exact, near, rel_tol=0.1)
    told = capsys.readouterr().err
    assert "int8: 0 int8 products" in told
    assert "int8, small matrices too: 0" not in told
    assert least == LEAST


def test_a_translator_has_bleu_and_only_so_many_lines_are_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_model(tmp_path / "model", max_new_tokens=6)
    data = _written(tmp_path / "pairs.tsv", [f"{one}\t{other}" for one, other in PAIRS])
    assert quality.main([str(folder), "--data", str(data), "--limit", "2", "--json"]) == 0
    out = capsys.readouterr()
    assert {*json.loads(out.out)["int8"]} == {"BLEU", "chrF++"}
    assert "2/2" in out.err


def test_the_table_tells_differences_to_the_first_line() -> None:
    headers, lines = quality.rows({"float32": {"perplexity": 10.0}, "int8": {"perplexity": 10.5}})
    assert headers == ["", "perplexity"]
    assert lines == [["float32", "10.0000 (+0.0000)"], ["int8", "10.5000 (+0.5000)"]]


def test_nothing_to_measure_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, data = write_gpt(tmp_path / "gpt"), _written(tmp_path / "empty.txt", ["", " "])
    with pytest.raises(UserError, match="there is nothing to measure"):
        quality.quality(folder, [str(data)])
    assert quality.main([str(folder), "--data", str(data)]) == 2
    assert "there is nothing to measure" in capsys.readouterr().err


def test_all_forms_of_a_product_are_the_same_product_but_for_rounding() -> None:
    matrix, x = torch.randn(24, 16), torch.randn(3, 16)
    wanted = x @ matrix.T
    for name in ("float32", "bfloat16", "**int8, ours**", "quantized.linear_dynamic"):
        with torch.inference_mode():
            found = products.FORMS[name](matrix)(x)()
        assert isinstance(found, torch.Tensor)
        torch.testing.assert_close(found.float(), wanted, rtol=0.1, atol=0.3)
