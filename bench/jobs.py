"""What can be measured, each in a sentence; nothing heavy is imported here, so that help is instant."""

JOBS = {
    "ceilings": "what the machine can do at best: matrix products per precision, reading memory",
    "translation": "training a small translation model, beside MarianMT of transformers",
    "translation-base": "the same of base size",
    "translate": "translating, greedy and with five beams, batch 1, 32, 1,000, beside CTranslate2",
    "gpt2": "GPT-2 small writing, batch 1, 8, 32, and reading 512 tokens, beside CTranslate2, llama.cpp",
    "encode": "BERT-base encoding 32 and 128 tokens, batch 1 and 32, beside ONNX Runtime",
    "start": "from a cold process to the first translated sentence, and the memory that takes",
    "gpt": "training a small GPT, beside transformers and plain PyTorch",
    "gpt-384": "the same of 6 layers of 384, 16 blocks of 256 tokens",
    "nanogpt": "the same in nanoGPT's setting for a CPU: 4 layers of 128, 12 blocks of 64",
    "llama": "training a small LLaMA, beside transformers",
    "bert": "training a small BERT, beside transformers",
    "vit": "training a small ViT, beside transformers",
    "vit-tiny": "the same of 6 layers of 192 on images of 32 × 32 in colour",
    "generate": "a small GPT and LLaMA writing: greedy, sampling, beams, beside transformers",
}
CLOCKS = {"wall": "the clock", "processor": "the processor time of each system's process"}
EXAMPLES = """
examples:
  glassformer bench --quick                   does everything work here? tiny models, a minute or two
  glassformer bench translate                 one job; the results of the others are kept
  glassformer bench --quality runs/x --data test.tsv
                                              BLEU or perplexity of a model in each precision
  OMP_NUM_THREADS=1 taskset -c 0 glassformer bench translate --processor
                                              on a machine that others use too: processor time, ratios
"""


def listed() -> str:
    """Every job with its sentence, for the help."""
    return "\n".join(f"  {name:<16} {sentence}" for name, sentence in JOBS.items())
