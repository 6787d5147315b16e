"""Corpus scores of translations (BLEU, chrF, chrF++, TER), each through sacreBLEU and with its signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sacrebleu.metrics import BLEU, CHRF, TER

from glassformer.base.errors import UserError
from glassformer.base.optional import needed

References = Sequence[str] | Sequence[Sequence[str]]
"""One reference per sentence, or *streams*: a list of reference lists, each as long as the test set."""

Tokenize = Literal["13a", "intl", "char", "zh", "ko-mecab", "none", "moses"]


@dataclass(frozen=True)
class Score:
    """One number between 0 and 100 (TER may pass 100) and the signature that says exactly how it was made."""

    name: str
    value: float
    signature: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.name} = {self.value:.2f} {self.detail}".rstrip() + f"  [{self.signature}]"


@dataclass(frozen=True)
class Scoring:
    """How BLEU cuts and compares words; the defaults are sacreBLEU's (Post 2018) and the ones to publish.

    ``tokenize`` is a tokeniser of sacreBLEU, ``"none"`` for text that is already cut at spaces, or
    ``"moses"`` for the Moses rules of ``language`` (needs the package sacremoses).
    """

    lowercase: bool = False
    tokenize: Tokenize = "13a"
    smoothing: Literal["exp", "none"] = "exp"
    language: str = "en"

    def metric(self) -> Any:
        """The sacreBLEU metric. Raises UserError when its tokeniser needs a package that is missing."""
        tokenize = "none" if self.tokenize == "moses" else self.tokenize
        try:
            # force: the warning about text that looks tokenised is given once, by the evaluator.
            return BLEU(lowercase=self.lowercase, tokenize=tokenize, smooth_method=self.smoothing, force=True)
        except (ImportError, RuntimeError) as error:
            raise UserError(
                f"BLEU with tokenize '{self.tokenize}' needs a package that is not installed: "
                "run `pip install 'sacrebleu[ko]'`, or choose tokenize 'char'."
            ) from error

    def prepare(self, lines: Sequence[str]) -> list[str]:
        """The lines as the metric must see them: cut by Moses' rules when asked for, else untouched."""
        if self.tokenize != "moses":
            return list(lines)
        cut = moses(self.language)
        return [cut(line) for line in lines]

    def signature(self, metric: Any) -> str:
        """sacreBLEU's signature of a metric that has scored, with our tokeniser named where it is ours."""
        signature = metric.get_signature()
        if self.tokenize == "moses":
            signature.update("tok", f"moses-{self.language}")
        return str(signature)


PAPER = Scoring(lowercase=True, tokenize="moses", smoothing="none")
"""Lower-cased BLEU over Moses tokens without smoothing: the tokenised BLEU of many papers (IWSLT among them).

It lies above or below sacreBLEU by a point or more; compare it only with figures made the same way.
"""

CHARACTERS = Scoring(tokenize="char")
"""BLEU whose words are characters.

Korean glues particles and endings to its stems and leaves much spacing to taste, so one wrong ending or one
space loses a whole word and every n-gram across it: word BLEU is harsh there and swings with the tokeniser.
Characters have neither trouble and need no morphological analyser.
"""


def moses(language: str) -> Callable[[str], str]:
    """A function that cuts a line by Moses' rules for ``language``. Raises UserError without sacremoses."""
    with needed("BLEU with tokenize 'moses'", "sacremoses", "sacremoses"):
        from sacremoses import MosesTokenizer
    tokenizer = MosesTokenizer(lang=language)
    return lambda line: str(tokenizer.tokenize(line, return_str=True, escape=False))


def streams(references: References) -> list[list[str]]:
    """References as a list of streams, whichever of the two forms they came in."""
    if not references:
        return []
    if isinstance(references[0], str):
        return [list(map(str, references))]
    return [list(stream) for stream in references]


def paired(hypotheses: Sequence[str], references: References) -> list[list[str]]:
    """The reference streams, checked against the hypotheses. Raises UserError for none or unequal counts."""
    found = streams(references)
    if not hypotheses and not any(found):
        raise UserError("There is nothing to score: the test data has no sentences.")
    if not found:
        raise UserError("There is nothing to score against: give at least one list of references.")
    for number, stream in enumerate(found, start=1):
        if len(stream) != len(hypotheses):
            name = "references" if len(found) == 1 else f"references in list {number}"
            raise UserError(
                f"There are {len(hypotheses)} translations but {len(stream)} {name}; "
                "line n of each must belong to the same sentence."
            )
    return found


def bleu(hypotheses: Sequence[str], references: References, scoring: Scoring | None = None) -> Score:
    """Corpus BLEU (Papineni et al. 2002): modified n-gram precision up to 4, times a penalty for brevity.

    Raises UserError for empty data and unequal counts, as every score here does.
    """
    scoring = scoring or Scoring()
    checked = [scoring.prepare(stream) for stream in paired(hypotheses, references)]
    metric = scoring.metric()
    result = metric.corpus_score(scoring.prepare(hypotheses), checked)
    detail = (
        f"{result.prec_str} (BP {result.bp:.3f}, ratio {result.ratio:.3f}, "
        f"{result.sys_len} / {result.ref_len} tokens)"
    )
    return Score("BLEU", float(result.score), scoring.signature(metric), detail)


def character_bleu(hypotheses: Sequence[str], references: References) -> Score:
    """Corpus BLEU over characters, the one to read for Korean; see ``CHARACTERS`` for the reason."""
    score = bleu(hypotheses, references, CHARACTERS)
    return Score("BLEU (characters)", score.value, score.signature, score.detail)


def chrf(
    hypotheses: Sequence[str], references: References, *, word_order: int = 2, lowercase: bool = False
) -> Score:
    """F2 score over character n-grams up to 6 and word n-grams up to ``word_order``.

    2, the default, is chrF++ (Popović 2017); 0 is plain chrF (Popović 2015).
    """
    checked = paired(hypotheses, references)
    metric = CHRF(word_order=word_order, lowercase=lowercase)
    result = metric.corpus_score(list(hypotheses), checked)
    return Score("chrF" + "+" * word_order, float(result.score), str(metric.get_signature()))


def ter(hypotheses: Sequence[str], references: References) -> Score:
    """Translation edit rate (Snover et al. 2006): edits per 100 reference words; lower is better."""
    checked = paired(hypotheses, references)
    metric = TER()
    result = metric.corpus_score(list(hypotheses), checked)
    return Score("TER", float(result.score), str(metric.get_signature()))
