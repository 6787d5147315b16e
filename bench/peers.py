"""Which peers are installed here, in which versions, and what a run says of those that are not."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from typing import Any

# What is imported, what is installed, and what people call it.
PEERS = {
    "transformers": ("transformers", "transformers"),
    "ctranslate2": ("ctranslate2", "CTranslate2"),
    "onnxruntime": ("onnxruntime", "ONNX Runtime"),
    "llama_cpp": ("llama-cpp-python", "llama.cpp"),
}
BESIDE = ("torch", "tokenizers", "onnx", "gguf")


def has(module: str) -> bool:
    """Whether a package can be imported."""
    return importlib.util.find_spec(module) is not None


def versions() -> dict[str, str]:
    """The version of every package that takes part and is there."""
    names = [*BESIDE, *(package for package, _ in PEERS.values())]
    return {name: found for name in names if (found := _version(name))}


def absent() -> str:
    """One line about what is left out; empty where all are there."""
    missing = [package for module, (package, _) in PEERS.items() if not has(module)]
    if not missing:
        return ""
    return f"not installed and left out: {', '.join(missing)}; pip install -r bench/requirements.txt"


def transformers() -> Any:
    """The package itself, without its messages and bars."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
