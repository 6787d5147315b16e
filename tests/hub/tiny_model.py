"""The sizes of a Transformer that is made and saved in milliseconds."""

SIZES = {
    "dim": 8,
    "depth": 1,
    "heads": 2,
    "mlp_dim": 12,
    "max_length": 16,
    "vocab_size": 60,
    "target_vocab_size": 60,
}
