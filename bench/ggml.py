"""llama.cpp with our weights: a GPT-2 folder becomes a GGUF file, and many texts are written at once."""

from __future__ import annotations

import ctypes
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.contest import Wanted
from bench.ctranslate import held
from bench.measure import THREADS, timed

BATCH = 512
"""Tokens that are read at once; a prompt may have as many."""

FORMS = {"float32": "F32", "bfloat16": "BF16", "int8": "Q8_0"}
"""Our precisions, and what a matrix of weights is stored as."""

PARTS = {
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}


class Writing:
    """llama.cpp by its C interface, which alone writes several texts at once; greedy."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        self.models: dict[str, Any] = {}
        self.contexts: dict[tuple[str, int, int], Any] = {}

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Writes on from the prompts, all in one batch."""
        prompts, most = wanted["prompts"], wanted["most"]
        context, words = self._context(precision, len(prompts), len(prompts[0]) + most)
        written: list[list[int]] = [[] for _ in prompts]
        return timed(partial(_write, context, words, prompts, most, written)) | {"written": written}

    def _context(self, precision: str, rows: int, length: int) -> tuple[Any, int]:
        import llama_cpp

        model, words = self._model(precision)
        key = (precision, rows, length)
        if key not in self.contexts:
            for old in [known for known in self.contexts if known[0] == precision]:
                llama_cpp.llama_free(self.contexts.pop(old))
            settings = llama_cpp.llama_context_default_params()
            settings.n_seq_max, settings.n_ctx = rows, rows * _rounded(length)
            settings.n_batch = settings.n_ubatch = BATCH
            if precision == "float32":  # what is kept is float16 else
                settings.type_k = settings.type_v = llama_cpp.GGML_TYPE_F32
            settings.n_threads = settings.n_threads_batch = THREADS
            self.contexts[key] = llama_cpp.llama_init_from_model(model, settings)
        return self.contexts[key], words

    def _model(self, precision: str) -> tuple[Any, int]:
        import llama_cpp

        if precision not in self.models:
            silent = llama_cpp.llama_log_callback(lambda *_: None)
            self.silent = silent  # llama.cpp keeps no hold of it
            llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
            place = self.root / f"gpt2-{precision}.gguf"
            words = gguf_file(self.folder, place, FORMS[precision])
            settings = llama_cpp.llama_model_default_params()
            found = llama_cpp.llama_model_load_from_file(str(place).encode(), settings)
            if not found:
                raise RuntimeError(f"llama.cpp does not open {place}")
            self.models[precision] = found, words
        return self.models[precision]


def _rounded(length: int) -> int:
    """Memory is kept in pieces of 256 places."""
    return -(-length // 256) * 256


def _write(context: Any, words: int, prompts: list[list[int]], most: int, written: list[list[int]]) -> None:
    import llama_cpp

    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
    rows, length = len(prompts), len(prompts[0])
    together = max(1, BATCH // length)
    batch = llama_cpp.llama_batch_init(max(rows, BATCH), 0, 1)
    try:
        for first in range(0, rows, together):
            chosen = range(first, min(first + together, rows))
            cells = [(token, place, row) for row in chosen for place, token in enumerate(prompts[row])]
            ends = [length * (number + 1) - 1 for number in range(len(chosen))]
            _step(context, batch, cells, ends)
            for row, end in zip(chosen, ends, strict=True):
                written[row].append(_best(context, words, end))
        for place in range(length, length + most - 1):
            _step(context, batch, [(written[row][-1], place, row) for row in range(rows)], range(rows))
            for row in range(rows):
                written[row].append(_best(context, words, row))
    finally:
        llama_cpp.llama_batch_free(batch)


def _step(context: Any, batch: Any, cells: list[tuple[int, int, int]], scored: Any) -> None:
    import llama_cpp

    batch.n_tokens = len(cells)
    for number, (token, place, row) in enumerate(cells):
        batch.token[number], batch.pos[number] = token, place
        batch.n_seq_id[number], batch.seq_id[number][0] = 1, row
        batch.logits[number] = 0
    for number in scored:
        batch.logits[number] = 1
    if llama_cpp.llama_decode(context, batch):
        raise RuntimeError("llama.cpp refused a batch")


def _best(context: Any, words: int, number: int) -> int:
    import llama_cpp

    scores = llama_cpp.llama_get_logits_ith(context, number)
    return int(np.ctypeslib.as_array(scores, (words,)).argmax())


def gguf_file(source: Path, place: Path, form: str) -> int:
    """Our GPT-2 folder as a GGUF file, its matrices in ``form``; gives the size of the vocabulary."""
    import gguf

    weights, config = held(source)
    writer = gguf.GGUFWriter(str(place), "gpt2")
    writer.add_block_count(config["n_layer"])
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_feed_forward_length(config["n_inner"] or 4 * config["n_embd"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("none")
    kind = gguf.GGMLQuantizationType[form]
    for name, value in _named(weights, config["n_layer"]):
        matrix = value.ndim == 2 and not name.startswith("position")
        made = gguf.quants.quantize(np.ascontiguousarray(value), kind) if matrix else value
        writer.add_tensor(name, made, raw_dtype=kind if matrix else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return int(config["vocab_size"])


def _named(weights: dict[str, np.ndarray], depth: int) -> list[tuple[str, np.ndarray]]:
    found = [
        ("token_embd.weight", weights["transformer.wte.weight"]),
        ("position_embd.weight", weights["transformer.wpe.weight"]),
        ("output_norm.weight", weights["transformer.ln_f.weight"]),
        ("output_norm.bias", weights["transformer.ln_f.bias"]),
    ]
    for number in range(depth):
        for part, name in PARTS.items():
            value = weights[f"transformer.h.{number}.{part}.weight"]
            # GPT-2's files have what is read in rows, these what is written.
            found.append((f"blk.{number}.{name}.weight", value.T if value.ndim == 2 else value))
            found.append((f"blk.{number}.{name}.bias", weights[f"transformer.h.{number}.{part}.bias"]))
    return found
