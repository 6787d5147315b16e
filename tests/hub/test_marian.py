"""Folders written here decode in ``transformers`` as here, with their tokenizers and generation settings."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from glassformer.hub.folder import load, save
from glassformer.models.transformer import Config, Model
from glassformer.text.train import TokenizerConfig, train_pair

transformers = pytest.importorskip("transformers")
transformers.logging.disable_progress_bar()

PAIRS = [
    ("나는 학교에 간다", "I go to school"),
    ("그는 집에 온다", "He comes home"),
    ("비가 온다", "It rains"),
]
PAD, START, END = 0, 1, 2
LIMIT = 14


@pytest.fixture
def model() -> Model:
    """Random, lively, and with a slight wish to write padding and the start token, which it must not."""
    sizes = {"dim": 16, "depth": 1, "heads": 2, "mlp_dim": 24, "max_length": LIMIT}
    model = Model(Config(**sizes, vocab_size=40, target_vocab_size=40, output_bias=True)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.4)
        model.output.bias[[PAD, START]] = 3.0
        model.output.bias[END] = 2.0
    return model


def _sources() -> tuple[Tensor, Tensor]:
    source = torch.tensor([[5, 6, 7, 8, 2], [9, 10, 2, 0, 0], [11, 2, 0, 0, 0], [12, 13, 14, 2, 0]])
    return source, source != PAD


def _greedy(model: Model, source: Tensor, keep: Tensor) -> list[list[int]]:
    state = model.start(source, keep)
    tokens = torch.full((len(source),), START)
    written: list[list[int]] = [[] for _ in source]
    for _ in range(LIMIT - 1):
        scores = state.step(tokens)
        scores[:, [PAD, START]] = -torch.inf
        tokens = scores.argmax(-1)
        for row, token in zip(written, tokens.tolist(), strict=True):
            if not row or row[-1] != END:
                row.append(token)
    return written


@pytest.fixture
def _loud() -> Iterator[None]:
    """What ``transformers`` warns of reaches ``caplog``."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_warning()
    transformers.logging.enable_propagation()
    yield
    transformers.logging.disable_propagation()
    transformers.logging.set_verbosity(before)


def _strip(rows: Tensor) -> list[list[int]]:
    kept = []
    for row in rows.tolist():
        assert row[0] == START
        end = row.index(END) + 1 if END in row else len(row)
        assert set(row[end:]) <= {PAD}
        kept.append(row[1:end])
    return kept


@pytest.mark.usefixtures("_loud")
def test_greedy_generation_there_is_greedy_decoding_here(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(tmp_path / "model", model, None)
    there = transformers.MarianMTModel.from_pretrained(tmp_path / "model")
    source, keep = _sources()
    with torch.no_grad():
        ours = _greedy(model, source, keep)
        theirs = _strip(there.generate(input_ids=source, attention_mask=keep.long(), num_beams=1))
    assert theirs == ours
    assert len({tuple(row) for row in ours}) > 1
    assert caplog.text == ""


def test_beam_generation_starts_and_stops_and_never_writes_padding(model: Model, tmp_path: Path) -> None:
    save(tmp_path / "model", model, None, generation={"num_beams": 4, "num_return_sequences": 4})
    there = transformers.MarianMTModel.from_pretrained(tmp_path / "model")
    assert there.generation_config.num_beams == 4
    source, keep = _sources()
    with torch.no_grad():
        rows = _strip(there.generate(input_ids=source, attention_mask=keep.long()))
    assert len(rows) == 4 * len(source)
    for row in rows:
        assert not {PAD, START} & set(row)
        assert END in row or len(row) == LIMIT - 1


def test_text_goes_in_and_comes_out_with_the_tokenizer_of_the_folder(model: Model, tmp_path: Path) -> None:
    pair = train_pair(TokenizerConfig(name="bpe", vocab_size=400, min_frequency=1), PAIRS)
    size = pair.source.vocab_size
    model = Model(
        Config(dim=16, depth=1, heads=2, mlp_dim=24, vocab_size=size, target_vocab_size=size)
    ).eval()
    save(tmp_path / "model", model, pair)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    batch = tokenizer([source for source, _ in PAIRS], return_tensors="pt", padding=True)
    for row, (source, _) in zip(batch["input_ids"].tolist(), PAIRS, strict=True):
        assert [token for token in row if token != PAD] == [*pair.source.encode(source), END]
    there = transformers.MarianMTModel.from_pretrained(tmp_path / "model")
    with torch.no_grad():
        written = there.generate(
            **{key: batch[key] for key in ("input_ids", "attention_mask")}, max_new_tokens=5
        )
    texts = tokenizer.batch_decode(written, skip_special_tokens=True)
    assert texts == pair.target.decode_batch(written.tolist())


def _opus(folder: Path) -> Any:
    """A folder as Helsinki-NLP publishes them: two sentencepiece models, one table, start at padding."""
    sentencepiece = pytest.importorskip("sentencepiece")
    pieces: list[str] = []
    for side, column in (("source", 0), ("target", 1)):
        text = folder / f"{side}.txt"
        text.write_text("\n".join(pair[column] for pair in PAIRS * 20), "utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=str(folder / side), vocab_size=36, character_coverage=1.0,
            hard_vocab_limit=False, minloglevel=2,
        )  # fmt: skip
        (folder / f"{side}.model").rename(folder / f"{side}.spm")
        text.unlink()
        lines = (folder / f"{side}.vocab").read_text("utf-8").split("\n")
        pieces += [line.split("\t")[0] for line in lines if line]
        (folder / f"{side}.vocab").unlink()
    words = ["</s>", "<unk>", *dict.fromkeys(p for p in pieces if p not in ("<s>", "</s>", "<unk>")), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(words)}), "utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"source_lang": "ko", "target_lang": "en"}), "utf-8"
    )
    pad = len(words) - 1
    config = transformers.MarianConfig(
        vocab_size=len(words), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, max_position_embeddings=32,
        pad_token_id=pad, eos_token_id=0, bos_token_id=0, decoder_start_token_id=pad, forced_eos_token_id=0,
        activation_function="swish", scale_embedding=True, init_std=0.5,
    )  # fmt: skip
    model = transformers.MarianMTModel(config).eval()
    model.final_logits_bias.normal_()
    model.generation_config.update(bad_words_ids=[[pad]], num_beams=3, max_length=20, forced_eos_token_id=0)
    model.save_pretrained(folder)
    return model


def test_an_opus_folder_opens_here_and_its_files_are_kept_when_it_is_saved(tmp_path: Path) -> None:
    (tmp_path / "opus").mkdir()
    published = _opus(tmp_path / "opus")
    loaded = load(tmp_path / "opus")
    assert loaded.tokenizers is not None
    assert loaded.tokenizers.source.vocab_size == loaded.config.vocab_size
    save(tmp_path / "ours", loaded.model, loaded.tokenizers, generation=loaded.generation)
    for name in ("source.spm", "target.spm", "vocab.json", "tokenizer_config.json"):
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "opus" / name).read_bytes()
    again = load(tmp_path / "ours", verify=True)
    assert again.tokenizers is not None
    assert again.tokenizers.fingerprint == loaded.tokenizers.fingerprint
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the oracle's own tokenizer
        tokenizer = transformers.MarianTokenizer.from_pretrained(tmp_path / "ours")
    batch = tokenizer([source for source, _ in PAIRS], return_tensors="pt", padding=True)
    there = transformers.MarianMTModel.from_pretrained(tmp_path / "ours").eval()
    assert there.generation_config.num_beams == 3
    with torch.no_grad():
        assert torch.equal(there.generate(**batch), published.generate(**batch))
        decoder = torch.tensor([[loaded.config.start_id, 5, 6]] * len(PAIRS))
        theirs = published(**batch, decoder_input_ids=decoder).logits
        ours = again.model(
            {"source": batch["input_ids"], "source_keep": batch["attention_mask"] > 0, "target": decoder}
        )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
