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


class Writing:
    """``ctranslate2.Generator``; greedy."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.place = folder, root / "ctranslate2-gpt2"
        self.opened: dict[str, Any] = {}

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Writes on from the prompts, all in one batch."""
        import ctranslate2

        if precision not in self.opened:
            if not self.place.exists():
                generator_folder(self.folder, self.place)
            self.opened[precision] = ctranslate2.Generator(
                str(self.place), "cpu", compute_type=precision, inter_threads=1, intra_threads=THREADS
            )
        written: list[list[int]] = []

        def work() -> None:
            found = self.opened[precision].generate_batch(
                [words(prompt) for prompt in wanted["prompts"]],
                beam_size=1,
                max_length=wanted["most"],
                include_prompt_in_result=False,
            )
            written.extend(list(one.sequences_ids[0]) for one in found)

        return timed(work) | {"written": written}


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

    weights, config = held(source)
    depths = (config["encoder_layers"], config["decoder_layers"])
    relu = common_spec.Activation.RELU
    spec = TransformerSpec.from_config(
        depths, config["encoder_attention_heads"], pre_norm=False, activation=relu
    )
    table = weights["model.shared.weight"]
    for side, part in (("encoder", spec.encoder), ("decoder", spec.decoder)):
        tables = part.embeddings if side == "encoder" else [part.embeddings]
        tables[0].weight = table
        part.scale_embeddings = config["scale_embedding"]
        part.position_encodings.encodings = sinusoid(
            config["max_position_embeddings"], config["d_model"]
        ).numpy()
        for number, layer in enumerate(part.layer):
            _layer(layer, weights, f"model.{side}.layers.{number}.")
    spec.decoder.projection.weight = table
    names = words(range(len(table)))
    spec.register_source_vocabulary(names)
    spec.register_target_vocabulary(names)
    start, end = config["decoder_start_token_id"], config["eos_token_id"]
    _specials(spec.config, names[start], names[end], names[config["pad_token_id"]])
    spec.config.decoder_start_token = names[start]
    _saved(spec, place)


def generator_folder(source: Path, place: Path) -> None:
    """Our GPT-2 folder in CTranslate2's form, float32."""
    from ctranslate2.specs import TransformerDecoderModelSpec, common_spec

    weights, config = held(source)
    gelu = common_spec.Activation.GELUTanh
    spec = TransformerDecoderModelSpec.from_config(config["n_layer"], config["n_head"], activation=gelu)
    decoder, table = spec.decoder, weights["transformer.wte.weight"]
    decoder.scale_embeddings = False
    decoder.embeddings.weight = decoder.projection.weight = table
    decoder.position_encodings.encodings = weights["transformer.wpe.weight"]
    _norm(decoder.layer_norm, weights, "transformer.ln_f")
    for number, layer in enumerate(decoder.layer):
        name = f"transformer.h.{number}."
        _norm(layer.self_attention.layer_norm, weights, f"{name}ln_1")
        _norm(layer.ffn.layer_norm, weights, f"{name}ln_2")
        linears = (*layer.self_attention.linear, layer.ffn.linear_0, layer.ffn.linear_1)
        for part, file in zip(linears, ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"), strict=True):
            # GPT-2's files have what is read in rows.
            part.weight = np.ascontiguousarray(weights[f"{name}{file}.weight"].T)
            part.bias = weights[f"{name}{file}.bias"]
    names = words(range(len(table)))
    spec.register_vocabulary(names)
    _specials(spec.config, names[config["bos_token_id"]], names[config["eos_token_id"]], names[0])
    _saved(spec, place)


def _layer(layer: Any, weights: Weights, name: str) -> None:
    _attention(layer.self_attention, weights, f"{name}self_attn", ("q", "k", "v"), ())
    if hasattr(layer, "attention"):
        _attention(layer.attention, weights, f"{name}encoder_attn", ("q",), ("k", "v"))
    _linear(layer.ffn.linear_0, weights, [f"{name}fc1"])
    _linear(layer.ffn.linear_1, weights, [f"{name}fc2"])
    _norm(layer.ffn.layer_norm, weights, f"{name}final_layer_norm")


def _attention(part: Any, weights: Weights, name: str, first: Sequence[str], second: Sequence[str]) -> None:
    groups = [group for group in (first, second) if group]
    for linear, group in zip(part.linear, [*groups, ("out",)], strict=True):
        _linear(linear, weights, [f"{name}.{one}_proj" for one in group])
    _norm(part.layer_norm, weights, f"{name}_layer_norm")


def _linear(part: Any, weights: Weights, names: Sequence[str]) -> None:
    part.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    part.bias = np.concatenate([weights[f"{name}.bias"] for name in names])


def _norm(part: Any, weights: Weights, name: str) -> None:
    part.gamma, part.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def held(folder: Path) -> tuple[Weights, dict[str, Any]]:
    """The weights of a folder under the names of its file, and its configuration."""
    return load_file(folder / "model.safetensors"), json.loads((folder / "config.json").read_text())


def _specials(config: Any, begin: str, end: str, unknown: str) -> None:
    config.bos_token, config.eos_token, config.unk_token = begin, end, unknown


def _saved(spec: Any, place: Path) -> None:
    spec.validate()
    spec.optimize(quantization=None)
    place.mkdir(parents=True)
    spec.save(str(place))
