"""Encoded examples on disk, memory-mapped: built once in constant memory, checked for damage when opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from glassformer.base import files, report
from glassformer.base.errors import RunError, UserError
from glassformer.data.characters import Meter
from glassformer.data.example import Example, Features
from glassformer.data.filter import Dropped, Limits
from glassformer.data.intact import BLOCK, checksum, damaged
from glassformer.data.spread import spread

FORMAT = 1
CHUNK = 4096
"""How many examples are encoded and written at a time, at most."""
CHARACTERS = 1 << 20
"""How many letters or pixels are encoded at a time; the example that goes beyond it is the last."""
_WIDE = np.iinfo(np.uint16).max

Encode = Callable[[Sequence[Example]], Sequence[Features]]


class StoreError(RunError):
    """A store that is not there, not finished, or not what was written; the remedy is to build it again."""


class Store:
    """Examples as token numbers in memory-mapped files; ``store[i]`` reads only what example ``i`` needs.

    On disk each array name has ``NAME.tokens`` (all tokens end to end, 16 bits each where they fit, else 32;
    what comes as bytes stays bytes) and ``NAME.ends`` (64-bit places where each example's tokens begin and
    end). ``store.json`` holds the fingerprint, the account of dropped examples, and a checksum of each file,
    compared on opening where a file has changed since it last was (``data.intact``): a damaged or unfinished
    store raises ``StoreError``.
    """

    def __init__(self, folder: Path) -> None:
        about = _about(folder)
        self.folder = folder
        self.about: Mapping[str, Any] = about.get("about", {})
        """What the builder wrote down about it."""
        self.fingerprint: str = about["fingerprint"]
        self.dropped = Dropped.from_json(about["dropped"])
        self.lengths: np.ndarray = _map(folder / "lengths", "<u4")
        """The longest array of each example, in tokens."""
        self._tokens = {name: _map(folder / f"{name}.tokens", kind) for name, kind in about["arrays"].items()}
        self._ends = {name: _map(folder / f"{name}.ends", "<i8") for name in about["arrays"]}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arrays of each example."""
        return tuple(self._tokens)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> Features:
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of a store of {len(self)} rows")
        return Features({name: self._array(name, row) for name in self._tokens})

    def _array(self, name: str, row: int) -> np.ndarray:
        start, stop = self._ends[name][row : row + 2].tolist()
        found = self._tokens[name][start:stop]
        return np.array(found) if found.dtype == np.uint8 else found.astype(np.int64)

    def joined(self, name: str) -> np.ndarray:
        """The array ``name`` of all examples end to end, as it is on disk; read what is sliced only."""
        return self._tokens[name]

    def tokens(self, name: str) -> int:
        """How many tokens the array ``name`` has over all examples."""
        return len(self._tokens[name])

    def counts(self, name: str, vocab_size: int) -> np.ndarray:
        """How often each token number occurs in the array ``name``; negative ones are ignored.

        The array is read block by block. Raises ``ValueError`` when a number is ``vocab_size`` or more.
        """
        total = np.zeros(vocab_size, dtype=np.int64)
        tokens = self._tokens[name]
        for start in range(0, len(tokens), BLOCK):
            block = tokens[start : start + BLOCK]
            seen = np.bincount(block[block >= 0].astype(np.int64), minlength=vocab_size)
            if len(seen) > vocab_size:
                raise ValueError(f"token {len(seen) - 1} in a vocabulary of {vocab_size}")
            total += seen
        return total


def fingerprint(paths: Iterable[Path], settings: Mapping[str, Any]) -> str:
    """One name for these file contents, in this order, treated with these settings: a SHA-256 in hex.

    ``settings`` are plain values (as JSON); they should name everything that changes the encoded examples,
    such as the tokenizers' fingerprints, the limits and the objective.
    """
    parts = {"format": FORMAT, "files": [files.sha256(path) for path in paths], "settings": settings}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def cached(
    name: str,
    examples: Callable[[], Iterable[Example]],
    encode: Encode,
    *,
    cache: Path | None = None,
    **options: Any,
) -> Store:
    """The store with the fingerprint ``name`` from the cache, built when it is absent or damaged.

    ``examples`` is called only when a store must be built; ``options`` are those of ``build``.
    """
    folder = (cache or files.cache_folder()) / "stores" / name[:32]
    files.recover_folder(folder)
    found = _kept(folder, name)
    if found is not None:
        return found
    try:
        return build(examples(), encode, folder, fingerprint=name, **options)
    except RunError:
        # Another process that built the same store may have been faster, and so in the way.
        found = _kept(folder, name)
        if found is None:
            raise
        return found


def _kept(folder: Path, name: str) -> Store | None:
    """The store in ``folder``, if there is a sound one of that fingerprint."""
    if not folder.exists():
        return None
    try:
        store = Store(folder)
    except StoreError as error:
        report.warn(f"{error}; building it again")
        return None
    return store if store.fingerprint == name else None


def build(
    examples: Iterable[Example],
    encode: Encode,
    folder: Path,
    *,
    fingerprint: str = "",
    limits: Limits = Limits(),  # noqa: B008
    dropped: Dropped | None = None,
    what: str = "encoding",
    processes: int = 1,
    meter: Meter | None = None,
    about: Mapping[str, Any] | None = None,
    beside: Callable[[Path], None] | None = None,
) -> Store:
    """Encode ``examples`` and write them into ``folder``, a chunk at a time; gives the finished store.

    With several ``processes`` the chunks are encoded side by side and written in their order, so that the
    files are the same; ``encode`` must then be something that can be pickled. ``meter`` is what progress is
    shown by, else examples are counted. ``about`` is kept with the store; ``beside`` may write more files
    into its folder. Without a ``fingerprint`` the store is named by its content.

    ``limits`` are applied to the examples before encoding and to their tokens after it. ``dropped`` may
    already hold what reading left out; it is completed here, and said in one sentence at the end. The
    folder appears only when it is complete. Raises ``UserError`` when no example is left, ``RunError`` when
    writing fails.
    """
    dropped = Dropped() if dropped is None else dropped
    with files.building(folder) as place:
        read = _chunks(limits.examples(examples, dropped))
        # Closed at once when writing fails, so that no process goes on encoding.
        with closing(_encoded(read, encode, limits, dropped, processes)) as encoded:
            rows, kinds = _write(_shown(encoded, what, meter), place)
        if not rows:
            raise UserError(_nothing_left(dropped))
        if beside is not None:
            beside(place)
        _describe(place, fingerprint, dropped, kinds, about)
    if dropped.total:
        report.say(f"{what}: {dropped.sentence()}")
    return Store(folder)


def _nothing_left(dropped: Dropped) -> str:
    if not dropped.total:
        return "the data has no examples at all"
    advice = "look at these lines, and at data.max_length and data.max_ratio"
    return f"no example is left to use: all {dropped.sentence()}; {advice}"


def _chunks(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """The examples in lists of at most ``CHUNK``, and of not much more than ``CHARACTERS``."""
    chunk: list[Example] = []
    characters = 0
    for example in examples:
        chunk.append(example)
        characters += sum(map(_weight, example.fields.values()))
        if len(chunk) == CHUNK or characters >= CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _weight(value: Any) -> int:
    """Letters of a text, numbers of an array."""
    return len(value) if isinstance(value, str) else getattr(value, "size", 0)


def _encoded(
    chunks: Iterable[list[Example]], encode: Encode, limits: Limits, dropped: Dropped, processes: int
) -> Generator[list[Features], None, None]:
    for chunk, features in spread(encode, chunks, processes):
        yield limits.features(features, chunk, dropped)


def _shown(chunks: Iterable[list[Features]], what: str, meter: Meter | None) -> Iterator[list[Features]]:
    """The chunks, while a bar shows how many kilobytes were read, or without a meter how many examples."""
    if meter is None:
        with report.progress(None, what) as progress:
            for chunk in chunks:
                yield chunk
                progress.advance(len(chunk))
        return
    total = None if meter.total is None else meter.total // 1000
    seen = 0
    with report.progress(total, f"{what} (kB)") as progress:
        for chunk in chunks:
            yield chunk
            done = meter.done // 1000
            progress.advance(done - seen)
            seen = done


class _Writer:
    """Appends one named array of each example to its two files; changes to 32 bits when it must."""

    def __init__(self, folder: Path, name: str, first: np.ndarray) -> None:
        self.path = folder / f"{name}.tokens"
        self.kind = "|u1" if first.dtype == np.uint8 else "<u2"
        self.end = 0
        self.tokens: BinaryIO = self.path.open("wb")
        self.ends: BinaryIO = (folder / f"{name}.ends").open("wb")
        self.ends.write(np.zeros(1, dtype="<i8").tobytes())

    def append(self, arrays: Sequence[np.ndarray]) -> None:
        joined = np.concatenate(arrays)
        if self.kind == "|u1" and joined.dtype != np.uint8:
            raise ValueError(f"{self.path.stem} began as bytes and goes on as {joined.dtype}")
        if self.kind == "<u2" and len(joined) and (joined.min() < 0 or joined.max() > _WIDE):
            self._widen()
        self.tokens.write(joined.astype(self.kind).tobytes())
        ends = self.end + np.cumsum([len(array) for array in arrays], dtype="<i8")
        self.ends.write(ends.tobytes())
        self.end = int(ends[-1])

    def _widen(self) -> None:
        self.tokens.close()
        narrow = self.path.rename(self.path.with_suffix(".narrow"))
        self.kind = "<i4"
        self.tokens = self.path.open("wb")
        with narrow.open("rb") as old:
            while block := old.read(BLOCK):
                self.tokens.write(np.frombuffer(block, dtype="<u2").astype("<i4").tobytes())
        narrow.unlink()

    def close(self) -> None:
        self.tokens.close()
        self.ends.close()


def _write(chunks: Iterable[list[Features]], folder: Path) -> tuple[int, dict[str, str]]:
    """Write the arrays of a store and the lengths; gives the number of rows, and each array's kind."""
    writers: dict[str, _Writer] = {}
    rows = 0
    with (folder / "lengths").open("wb") as lengths:
        try:
            for chunk in chunks:
                if not chunk:
                    continue
                for name, array in chunk[0].arrays.items():
                    if name not in writers:
                        writers[name] = _Writer(folder, name, array)
                for name, writer in writers.items():
                    writer.append([features.arrays[name] for features in chunk])
                lengths.write(np.array([features.size for features in chunk], dtype="<u4").tobytes())
                rows += len(chunk)
        finally:
            for writer in writers.values():
                writer.close()
    return rows, {name: writer.kind for name, writer in writers.items()}


def _describe(folder: Path, name: str, dropped: Dropped, kinds: Mapping[str, str], about: Any) -> None:
    """Write ``store.json``, with the checksums of what is there by now."""
    parts = sorted(path for path in folder.iterdir() if path.is_file())
    said = {
        "format": FORMAT,
        "fingerprint": name or fingerprint(parts, about or {}),
        "arrays": dict(kinds),
        "dropped": dropped.to_json(),
        "about": dict(about or {}),
        "checksums": {path.name: checksum(path) for path in parts},
    }
    files.write_text(folder / "store.json", json.dumps(said, ensure_ascii=False, indent=1) + "\n")


def _about(folder: Path) -> dict[str, Any]:
    """What ``store.json`` says, after all files were found to be as they were written."""
    try:
        about: dict[str, Any] = json.loads((folder / "store.json").read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise StoreError(
                f"the token store {folder} has format {about['format']}, this version reads {FORMAT}"
            )
        changed = damaged(folder, about["checksums"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"the token store {folder} is not complete ({type(error).__name__})") from error
    if changed:
        raise StoreError(f"the token store {folder} is damaged ({', '.join(changed)} changed after writing)")
    return about


def _map(path: Path, kind: str) -> np.ndarray:
    # An empty file cannot be mapped.
    return np.memmap(path, dtype=kind, mode="r") if path.stat().st_size else np.empty(0, dtype=kind)
