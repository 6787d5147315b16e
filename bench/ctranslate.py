"""CTranslate2 with our weights: a model folder becomes one of its own, and its two ways of writing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from bench.contest import Wanted
from bench.measure import THREADS, timed
from glassformer.hub import folder as hub
from glassformer.nn.position import sinusoid

Weights = dict[str, np.ndarray]


class Translating:
    """``ctranslate2.Translator``; the ids are its words, so that it is given what all others are."""

    def __init__(self, folders: dict[str, Path], root: Path) -> None:
        self.folders, self.root, self.opened = folders, root, {}
        self.tokenizers = {name: hub.load(folder).tokenizers for name, folder in folders.items()}

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Translates the lines, ``rows`` of them at a time; of like length together where there are more."""
        size, lines, rows = wanted["size"], wanted["lines"], wanted["rows"]
        translator, tokenizers = self._translator(size, precision), self.tokenizers[size]
        written: list[list[int]] = []

        def work() -> None:
            for start in range(0, len(lines), rows):
                ids = tokenizers.source.encode_batch(lines[start : start + rows])
                found = translator.translate_batch(
                    [words([*row, wanted["end"]]) for row in ids],
                    beam_size=wanted["beams"],
                    max_decoding_length=wanted["most"],
                    length_penalty=1.0,
                    max_batch_size=min(rows, wanted["batch"]),
                )
                written.extend(numbers(one.hypotheses[0]) for one in found)
            for row in written:
                tokenizers.target.decode(row)

        return timed(work) | {"written": written}

    def _translator(self, size: str, precision: str) -> Any:
        import ctranslate2

        if (size, precision) not in self.opened:
            place = self.root / f"ctranslate2-{size}"
            if not place.exists():
                translator_folder(self.folders[size], place)
            self.opened[size, precision] = ctranslate2.Translator(
                str(place), "cpu", compute_type=precision, inter_threads=1, intra_threads=THREADS
            )
        return self.opened[size, precision]


def words(ids: Sequence[int]) -> list[str]:
    """The names of ids in a vocabulary of CTranslate2 that is made here."""
    return [f"t{one}" for one in ids]


def numbers(named: Sequence[str]) -> list[int]:
    """The ids again."""
    return [int(one[1:]) for one in named]


# --- weights -----------------------------------------------------------------------------------------------


def translator_folder(source: Path, place: Path) -> None:
    """Our translation model (a Marian folder) in CTranslate2's form, float32."""
    from ctranslate2.specs import TransformerSpec, common_spec

    held, config = _held(source)
    depths = (config["encoder_layers"], config["decoder_layers"])
    relu = common_spec.Activation.RELU
    spec = TransformerSpec.from_config(
        depths, config["encoder_attention_heads"], pre_norm=False, activation=relu
    )
    table = held["model.shared.weight"]
    for side, part in (("encoder", spec.encoder), ("decoder", spec.decoder)):
        tables = part.embeddings if side == "encoder" else [part.embeddings]
        tables[0].weight = table
        part.scale_embeddings = config["scale_embedding"]
        part.position_encodings.encodings = sinusoid(
            config["max_position_embeddings"], config["d_model"]
        ).numpy()
        for number, layer in enumerate(part.layer):
            _layer(layer, held, f"model.{side}.layers.{number}.")
    spec.decoder.projection.weight = table
    names = words(range(len(table)))
    spec.register_source_vocabulary(names)
    spec.register_target_vocabulary(names)
    start, end = config["decoder_start_token_id"], config["eos_token_id"]
    _specials(spec.config, names[start], names[end], names[config["pad_token_id"]])
    spec.config.decoder_start_token = names[start]
    _saved(spec, place)


def _layer(layer: Any, held: Weights, name: str) -> None:
    _attention(layer.self_attention, held, f"{name}self_attn", ("q", "k", "v"), ())
    if hasattr(layer, "attention"):
        _attention(layer.attention, held, f"{name}encoder_attn", ("q",), ("k", "v"))
    _linear(layer.ffn.linear_0, held, [f"{name}fc1"])
    _linear(layer.ffn.linear_1, held, [f"{name}fc2"])
    _norm(layer.ffn.layer_norm, held, f"{name}final_layer_norm")


def _attention(part: Any, held: Weights, name: str, first: Sequence[str], second: Sequence[str]) -> None:
    groups = [group for group in (first, second) if group]
    for linear, group in zip(part.linear, [*groups, ("out",)], strict=True):
        _linear(linear, held, [f"{name}.{one}_proj" for one in group])
    _norm(part.layer_norm, held, f"{name}_layer_norm")


def _linear(part: Any, held: Weights, names: Sequence[str]) -> None:
    part.weight = np.concatenate([held[f"{name}.weight"] for name in names])
    part.bias = np.concatenate([held[f"{name}.bias"] for name in names])


def _norm(part: Any, held: Weights, name: str) -> None:
    part.gamma, part.beta = held[f"{name}.weight"], held[f"{name}.bias"]


def _held(folder: Path) -> tuple[Weights, dict[str, Any]]:
    return load_file(folder / "model.safetensors"), json.loads((folder / "config.json").read_text())


def _specials(config: Any, begin: str, end: str, unknown: str) -> None:
    config.bos_token, config.eos_token, config.unk_token = begin, end, unknown


def _saved(spec: Any, place: Path) -> None:
    spec.validate()
    spec.optimize(quantization=None)
    place.mkdir(parents=True)
    spec.save(str(place))
