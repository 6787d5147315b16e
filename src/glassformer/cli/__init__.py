"""What the user typed: a thin face of ``glassformer.api``."""
