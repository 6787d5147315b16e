"""A Korean-English parallel corpus with gold word alignments, generated from our own grammar."""

from glassformer.data.samples.corpus import AlignedPair, demo_sentences, generate, splits

__all__ = ["AlignedPair", "demo_sentences", "generate", "splits"]
