"""One sentence translated in a new process: ``python -m bench.cold WHO FOLDER LINE``, as one writes it.

Nothing is imported that the way in question does not need; ``bench.starting`` times the processes.
"""

import sys
from pathlib import Path

BEAMS, MOST = 5, 32
HOW = {
    "num_beams": BEAMS, "max_new_tokens": MOST, "length_penalty": 1.0, "length_penalty_form": "power",
    "early_stopping": False,
}  # fmt: skip
"""What our folder asks for."""


def glassformer(folder: str, line: str) -> str:
    """By Python's interface; the folder says how."""
    import glassformer as gf

    found: str = gf.load(folder).translate([line])[0]
    return found


def transformers(folder: str, line: str) -> str:
    """By ``AutoTokenizer`` and ``generate``."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.MarianMTModel.from_pretrained(folder)
    settings = transformers.GenerationConfig(
        num_beams=BEAMS, max_new_tokens=MOST, length_penalty=1.0, early_stopping=False,
        eos_token_id=model.config.eos_token_id, pad_token_id=model.config.pad_token_id,
        decoder_start_token_id=model.config.decoder_start_token_id,
    )  # fmt: skip
    given = tokenizer([line], return_tensors="pt", return_token_type_ids=False)
    found = model.generate(**given, generation_config=settings)
    text: str = tokenizer.decode(found[0], skip_special_tokens=True)
    return text


def ctranslate2(folder: str, line: str) -> str:
    """By its translator and the library ``tokenizers``; the folder lies beside ours."""
    import ctranslate2
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    translator = ctranslate2.Translator(f"{folder}-ctranslate2", "cpu", intra_threads=_threads())
    source = [f"t{one}" for one in tokenizer.encode(line).ids]
    found = translator.translate_batch(
        [source], beam_size=BEAMS, max_decoding_length=MOST, length_penalty=1.0
    )
    text: str = tokenizer.decode([int(one[1:]) for one in found[0].hypotheses[0]])
    return text


def _threads() -> int:
    import os

    return int(os.environ.get("OMP_NUM_THREADS") or 0)


WAYS = {one.__name__: one for one in (glassformer, transformers, ctranslate2)}

if __name__ == "__main__":
    print(WAYS[sys.argv[1]](*sys.argv[2:]))
