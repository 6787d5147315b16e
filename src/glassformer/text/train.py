"""Making a vocabulary from text: which pieces it holds is decided here, once, and the same every time."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

import tokenizers
from pydantic import Field
from tokenizers import models, pre_tokenizers, trainers

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.base.report import say
from glassformer.text.fast import FastTokenizer, Specials
from glassformer.text.frame import Framing, processor
from glassformer.text.normalize import normalizer
from glassformer.text.scheme import BOS, BYTES, EOS, MASK, PAD, SPECIALS, UNK, joiner, splitter
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.unigram import learn

# A noncharacter that stands where rare characters were, so that no piece is learned across them.
_GAP = "\uffff"
_CHUNK = 50_000

Item = TypeVar("Item")
Pieces = tuple[str, ...]


class TokenizerConfig(Settings):
    """How text becomes ids: ``tokenizer: {name: bpe, vocab_size: 8000}``.

    ``bpe`` merges the commonest neighbours (Sennrich et al. 2016); ``byte_bpe`` does so over bytes (Radford
    et al. 2019); ``unigram`` keeps the pieces that make the text likeliest (Kudo 2018); ``wordpiece`` takes
    the longest piece that fits (Schuster & Nakajima 2012); ``word`` and ``character`` are what they say.
    """

    name: Literal["word", "character", "bpe", "byte_bpe", "wordpiece", "unigram"] = "bpe"
    vocab_size: int = Field(8000, ge=5, description="how many pieces to aim for; little text gives fewer")
    shared: bool = Field(True, description="one vocabulary for source and target")
    jamo: bool = Field(False, description="take Hangul syllables apart, so that pieces can cut inside them")
    lowercase: bool = Field(False, description="forget upper case")
    min_frequency: int = Field(2, ge=1, description="how often a piece must occur to be learned")
    character_coverage: float = Field(
        0.9995,
        gt=0,
        le=1,
        description="bpe, unigram: share of characters with pieces of their own; others are bytes",
    )
    max_texts: int = Field(1_000_000, ge=1, description="learn from at most this many texts, drawn evenly")


def train(config: TokenizerConfig, texts: Iterable[str], frame: Framing = "end") -> FastTokenizer:
    """A tokenizer whose vocabulary is learned from the texts; the same texts give the same tokenizer.

    ``frame`` is what it puts around a text: the end, both begin and end (and then its vocabulary has a
    ``<mask>``), or nothing. Raises UserError when there is no text, or when ``vocab_size`` has no room for
    its characters.
    """
    normal = normalizer(jamo=config.jamo, lowercase=config.lowercase, front=config.name != "character")
    lines = [normal.normalize_str(text) for text in _sample(texts, config.max_texts)]
    if not any(line.strip() for line in lines):
        raise UserError("There is no text to learn a vocabulary from: every line is empty.")
    specials = (*SPECIALS, MASK) if frame == "both" else SPECIALS
    backend = tokenizers.Tokenizer(_LEARNERS[config.name](config, lines, specials))
    backend.normalizer = normal
    backend.pre_tokenizer = splitter(config.name)
    backend.decoder = joiner(config.name)
    if (framed := processor(frame)) is not None:
        backend.post_processor = framed
    backend.add_special_tokens(list(specials))
    # Running text begins where another ends, so a language model begins with the end (Radford et al. 2019).
    bos = EOS if frame == "none" else BOS
    ids = Specials(pad_id=PAD, bos_id=bos, eos_id=EOS, unk_id=UNK, mask_id=backend.token_to_id(MASK))
    tokenizer = FastTokenizer(backend, ids)
    if tokenizer.vocab_size < config.vocab_size:
        size, wanted = tokenizer.vocab_size, config.vocab_size
        say(f"The vocabulary has {size} pieces, not {wanted}: the text does not hold more.")
    return tokenizer


def train_pair(
    config: TokenizerConfig, pairs: Iterable[tuple[str, ...]], frame: Framing = "end"
) -> TokenizerPair:
    """The tokenizers of both sides, learned from (source, target) pairs: one when shared, else one each.

    Single texts are tuples of one, and have a shared tokenizer.
    """
    if config.shared:
        both = train(config, (text for pair in pairs for text in pair), frame)
        return TokenizerPair(both, both)
    kept = _sample(pairs, config.max_texts)
    source = train(config, (pair[0] for pair in kept), frame)
    return TokenizerPair(source, train(config, (pair[1] for pair in kept), frame))


def _sample(items: Iterable[Item], size: int) -> list[Item]:
    """At most ``size`` items, each as likely as any other (Vitter 1985, algorithm R), in a settled order."""
    generator = random.Random(0)
    kept: list[Item] = []
    for count, item in enumerate(items, start=1):
        if count <= size:
            kept.append(item)
        elif (place := generator.randrange(count)) < size:
            kept[place] = item
    return kept


def _characters(lines: Iterable[str], coverage: float) -> list[str]:
    """The commonest characters that together are ``coverage`` of the text, commonest first."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(line)
    wanted = coverage * counts.total()
    kept: list[str] = []
    for character, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if wanted <= 0:
            break
        kept.append(character)
        wanted -= count
    return kept


def _fit(config: TokenizerConfig, fixed: int, characters: int) -> None:
    """Raise UserError unless the vocabulary has room for what it must hold."""
    if fixed + characters > config.vocab_size:
        raise UserError(
            f"tokenizer.vocab_size {config.vocab_size} is too small for {config.name}: this text needs "
            f"{fixed} special pieces and {characters} characters; raise it to {fixed + characters} or more, "
            "or use byte_bpe, or jamo: true for Korean."
        )


def _with_gaps(lines: Iterable[str], characters: Iterable[str]) -> list[str]:
    """The lines with a gap for every character that is not among the given ones."""
    known = set(characters)
    table = {ord(c): _GAP for line in lines for c in set(line) - known}
    return [line.translate(table) for line in lines]


def _stretches(kind: str, lines: list[str]) -> list[tuple[str, int]]:
    """The stretches that pieces never cross, each with how often it occurs, commonest first."""
    found = tokenizers.Tokenizer(models.WordLevel(unk_token=SPECIALS[UNK]))
    found.pre_tokenizer = _gapped(splitter(kind))
    trainer = trainers.WordLevelTrainer(vocab_size=2**40, min_frequency=0, show_progress=False)
    found.train_from_iterator(lines, trainer)
    counts: Counter[int] = Counter()
    for start in range(0, len(lines), _CHUNK):
        for encoding in found.encode_batch_fast(lines[start : start + _CHUNK], add_special_tokens=False):
            counts.update(encoding.ids)
    named = ((stretch, counts[number]) for stretch, number in found.get_vocab().items() if counts[number])
    return sorted(named, key=lambda item: (-item[1], item[0]))


def _gapped(split: pre_tokenizers.PreTokenizer) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence([pre_tokenizers.Split(_GAP, "removed"), split])


def _merges(
    lines: Iterable[str], split: pre_tokenizers.PreTokenizer | None, trainer: trainers.BpeTrainer
) -> tuple[list[str], list[tuple[str, str]]]:
    """The pieces that byte-pair merging finds, characters first, and the merges in the order of doing."""
    found = tokenizers.Tokenizer(models.BPE())
    found.pre_tokenizer = split
    found.train_from_iterator(lines, trainer)
    model = json.loads(found.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].__getitem__), [(a, b) for a, b in model["merges"]]


def _numbered(*groups: Iterable[str]) -> dict[str, int]:
    return {piece: number for number, piece in enumerate(piece for group in groups for piece in group)}


def _learn_bpe(config: TokenizerConfig, lines: list[str], specials: Pieces) -> models.Model:
    fixed = (*specials, *BYTES)
    characters = _characters(lines, config.character_coverage)
    _fit(config, len(fixed), len(characters))
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size - len(fixed), min_frequency=config.min_frequency, show_progress=False
    )
    pieces, merges = _merges(_with_gaps(lines, characters), _gapped(splitter("bpe")), trainer)
    return models.BPE(_numbered(fixed, pieces), merges, unk_token=SPECIALS[UNK], byte_fallback=True)


def _learn_byte_bpe(config: TokenizerConfig, lines: list[str], specials: Pieces) -> models.Model:
    _fit(config, len(specials) + 256, 0)
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size - len(specials),
        min_frequency=config.min_frequency,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces, merges = _merges(lines, splitter("byte_bpe"), trainer)
    return models.BPE(_numbered(specials, pieces), merges, unk_token=SPECIALS[UNK])


def _learn_whole(config: TokenizerConfig, lines: list[str], specials: Pieces) -> models.Model:
    """Words or characters: the commonest ones, and the space, which every sentence may hold twice."""
    found = [s for s, n in _stretches(config.name, lines) if n >= config.min_frequency and s != " "]
    kept = found[: config.vocab_size - len(specials) - 1]
    return models.WordLevel(_numbered(specials, " ", kept), unk_token=SPECIALS[UNK])


def _learn_wordpiece(config: TokenizerConfig, lines: list[str], specials: Pieces) -> models.Model:
    """The characters, at the start and inside, and the commonest pieces byte-pair merging cuts words into."""
    characters = _characters(lines, config.character_coverage)
    alphabet = sorted({" ", *characters})
    inner = [f"##{character}" for character in alphabet]
    _fit(config, len(specials) + len(inner), len(alphabet))
    words = _stretches("wordpiece", _with_gaps(lines, characters))
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size, min_frequency=config.min_frequency, show_progress=False
    )
    pieces, merges = _merges(_with_gaps(lines, characters), _gapped(splitter("wordpiece")), trainer)
    cutter = tokenizers.Tokenizer(models.BPE(_numbered(pieces), merges))
    counts: Counter[str] = Counter()
    for encoding, (_, count) in zip(cutter.encode_batch([w for w, _ in words]), words, strict=True):
        for place, piece in enumerate(encoding.tokens):
            counts[f"##{piece}" if place else piece] += count
    fixed = _numbered(specials, alphabet, inner)
    learned = sorted((p for p, n in counts.items() if n >= config.min_frequency and p not in fixed))
    learned.sort(key=lambda piece: -counts[piece])
    kept = learned[: config.vocab_size - len(fixed)]
    return models.WordPiece(_numbered(fixed, kept), unk_token=SPECIALS[UNK], max_input_chars_per_word=100)


def _learn_unigram(config: TokenizerConfig, lines: list[str], specials: Pieces) -> models.Model:
    fixed = (*specials, *BYTES)
    characters = _characters(lines, config.character_coverage)
    _fit(config, len(fixed), len(characters))
    words = _stretches("unigram", _with_gaps(lines, characters))
    pieces = learn(words, config.vocab_size - len(fixed), characters)
    vocabulary = [*((piece, 0.0) for piece in fixed), *pieces]
    return models.Unigram(vocabulary, unk_id=UNK, byte_fallback=True)


_LEARNERS: dict[str, Callable[[TokenizerConfig, list[str], Pieces], models.Model]] = {
    "word": _learn_whole,
    "character": _learn_whole,
    "bpe": _learn_bpe,
    "byte_bpe": _learn_byte_bpe,
    "wordpiece": _learn_wordpiece,
    "unigram": _learn_unigram,
}
