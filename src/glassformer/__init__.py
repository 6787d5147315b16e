"""Glassformer: the Transformer family, trained, adapted, looked into, served: ``import glassformer``."""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassformer.api import recipes as recipes
    from glassformer.api.answerer import Answerer as Answerer
    from glassformer.api.answering import answers as answers
    from glassformer.api.checking import check as check
    from glassformer.api.classifier import Classifier as Classifier
    from glassformer.api.comparing import compare as compare
    from glassformer.api.completing import completions as completions
    from glassformer.api.converting import convert as convert
    from glassformer.api.counting import count_parameters as count_parameters
    from glassformer.api.demo import demo as demo
    from glassformer.api.doctor import doctor as doctor
    from glassformer.api.embedder import Embedder as Embedder
    from glassformer.api.evaluation import evaluate as evaluate
    from glassformer.api.filler import Filler as Filler
    from glassformer.api.generator import Generator as Generator
    from glassformer.api.likelihoods import likelihood as likelihood
    from glassformer.api.likelihoods import likelihoods as likelihoods
    from glassformer.api.loading import load as load
    from glassformer.api.opened import choose as choose
    from glassformer.api.predicting import predictions as predictions
    from glassformer.api.recipe import Recipe as Recipe
    from glassformer.api.sampling import write_samples as write_samples
    from glassformer.api.shortlisting import shortlist as shortlist
    from glassformer.api.shots import shots as shots
    from glassformer.api.storing import prepare_data as prepare_data
    from glassformer.api.tagger import Tagger as Tagger
    from glassformer.api.tokenizing import decode_ids as decode_ids
    from glassformer.api.tokenizing import describe_tokenizer as describe_tokenizer
    from glassformer.api.tokenizing import load_tokenizer as load_tokenizer
    from glassformer.api.tokenizing import train_tokenizer as train_tokenizer
    from glassformer.api.training import train as train
    from glassformer.api.translator import Translator as Translator
    from glassformer.api.viewer import Viewer as Viewer
    from glassformer.api.words import Words as Words
    from glassformer.api.words import load_words as load_words
    from glassformer.base.errors import UserError as UserError
    from glassformer.decode.settings import Decoding as Decoding
    from glassformer.hub.average import average as average
    from glassformer.hub.average import last_steps as last_steps
    from glassformer.text.train import TokenizerConfig as TokenizerConfig

__version__ = "0.1.0"

# Where each name lives. Nothing is imported before it is used, so that importing this package is instant.
_HOMES = {
    "Answerer": "api.answerer",
    "Classifier": "api.classifier",
    "Decoding": "decode.settings",
    "Embedder": "api.embedder",
    "Filler": "api.filler",
    "Generator": "api.generator",
    "Recipe": "api.recipe",
    "Tagger": "api.tagger",
    "Translator": "api.translator",
    "UserError": "base.errors",
    "Viewer": "api.viewer",
    "Words": "api.words",
    "answers": "api.answering",
    "average": "hub.average",
    "check": "api.checking",
    "choose": "api.opened",
    "compare": "api.comparing",
    "completions": "api.completing",
    "convert": "api.converting",
    "count_parameters": "api.counting",
    "decode_ids": "api.tokenizing",
    "demo": "api.demo",
    "describe_tokenizer": "api.tokenizing",
    "doctor": "api.doctor",
    "evaluate": "api.evaluation",
    "last_steps": "hub.average",
    "likelihood": "api.likelihoods",
    "likelihoods": "api.likelihoods",
    "load": "api.loading",
    "TokenizerConfig": "text.train",
    "load_tokenizer": "api.tokenizing",
    "load_words": "api.words",
    "prepare_data": "api.storing",
    "predictions": "api.predicting",
    "recipes": "api",
    "shortlist": "api.shortlisting",
    "shots": "api.shots",
    "train": "api.training",
    "train_tokenizer": "api.tokenizing",
    "write_samples": "api.sampling",
}

__all__ = [  # noqa: PLE0604 - written once, above
    "__version__",
    *_HOMES,
]


class _Package(ModuleType):
    """This module, whose verbs stay verbs when a room of the same name is imported.

    Python sets a package's attribute when a module inside is first imported; ``gf.train`` would then be the
    room. Import what a room holds by ``from glassformer.train.trainer import …``, which is not affected.
    """

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, unless a room would hide the verb of its name."""
        if not (name in _HOMES and isinstance(value, ModuleType) and value.__name__ == f"{__name__}.{name}"):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    """A name of the interface, imported when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = f"{__name__}.{_HOMES[name]}"
    value = import_module(f"{home}.{name}") if name == "recipes" else getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What completion in an interpreter offers."""
    return sorted({*globals(), *_HOMES})


sys.modules[__name__].__class__ = _Package
