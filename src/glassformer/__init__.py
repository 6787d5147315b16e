"""Glassformer: the Transformer family, trained, adapted, looked into and served; ``import glassformer as gf``."""

__version__ = "0.1.0"
