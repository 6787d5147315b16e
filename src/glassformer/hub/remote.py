"""``hf://owner/name``: a model folder on the Hugging Face hub, downloaded only when it was named so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from glassformer.base import report
from glassformer.base.errors import RunError, UserError
from glassformer.base.optional import needed
from glassformer.hub.huggingface import weight_files

# A path folds two slashes into one.
_ADDRESS = re.compile(r"hf:/{1,2}(?P<name>[^@]*)(?:@(?P<revision>.+))?")
_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_REVISION = re.compile(r"[\w./+-]+")

# Weights in the order in which hub.huggingface looks for them: the files of the first kind that is there.
_WEIGHTS = (
    r"model\.safetensors",
    r"model(-\d+-of-\d+)?\.safetensors(\.index\.json)?",
    r"pytorch_model\.bin",
    r"pytorch_model(-\d+-of-\d+)?\.bin(\.index\.json)?",
)
_KINDS = [
    "*.json",
    "*.safetensors",
    "*.bin",
    "*.txt",
    "*.spm",
    "*.model",
    "*.jinja",
    "README.md",
    "recipe.yaml",
]
_BESIDE = re.compile(
    r"README\.md|recipe\.yaml|manifest\.json|(config|generation_config|preprocessor_config)\.json"
    r"|(tokenizer|tokenizer_target|tokenizer_config|special_tokens_map|added_tokens)\.json"
    r"|(vocab|target_vocab)\.json|merges\.txt|vocab\.txt|(source|target)\.spm|tokenizer\.model"
    r"|chat_template\.(jinja|json)"
)


def is_remote(folder: str | Path) -> bool:
    """Whether this is an address on the hub and no path."""
    return f"{folder}/".startswith("hf:/")


def download(address: str | Path) -> Path:
    """The folder of the hub's cache that holds the files of ``hf://owner/name[@revision]``.

    Only what Glassformer reads is fetched, and what is fetched is told first. ``HF_HOME``, ``HF_TOKEN`` and
    ``HF_HUB_OFFLINE`` mean what they mean to huggingface_hub; when the hub cannot be reached, what the cache
    holds is used. Raises UserError for an address that cannot be opened, RunError when the way there fails.
    """
    name, revision = parse(address)
    hub = _hub(name)
    with _explaining(hub, name, revision):
        try:
            found = hub.snapshot_download(name, revision=revision, allow_patterns=_KINDS, dry_run=True)
        except (hub.errors.DryRunError, *_unreached(hub)) as error:
            return _cached(hub, name, revision, error.__cause__ or error)
        wanted = _chosen([info.filename for info in found], name)
        sizes = [info.file_size or 0 for info in found if info.filename in wanted and info.will_download]
        if sizes:
            report.say(f"hf://{name}: downloading {len(sizes)} files, {sum(sizes) / 1e6:,.1f} MB")
        return Path(hub.snapshot_download(name, revision=revision, allow_patterns=wanted))


def parse(address: str | Path) -> tuple[str, str | None]:
    """``owner/name`` and the revision, None for the newest; raises UserError when it is no such address."""
    found = _ADDRESS.fullmatch(str(address))
    name, revision = (found["name"], found["revision"]) if found else ("", None)
    if not _NAME.fullmatch(name) or (revision is not None and not _REVISION.fullmatch(revision)):
        raise UserError(
            f"{address}: not an address of the hub; write hf://owner/name or hf://owner/name@revision"
        )
    return name, revision


def _hub(name: str) -> Any:
    with needed(f"hf://{name}: downloading", "huggingface_hub", "'glassformer[hub]'"):
        import huggingface_hub
        import huggingface_hub.errors
    return huggingface_hub


def _unreached(hub: Any) -> tuple[type[Exception], ...]:
    return hub.errors.OfflineModeIsEnabled, hub.errors.LocalEntryNotFoundError


def _chosen(names: Sequence[str], repository: str) -> list[str]:
    """Of all files those that are read: one form of weights, and the small ones beside them."""
    if "config.json" not in names:
        raise UserError(f"hf://{repository}: no model here; a model folder has a config.json")
    beside = [name for name in names if _BESIDE.fullmatch(name)]
    for kind in _WEIGHTS:
        if weights := [name for name in names if re.fullmatch(kind, name)]:
            return beside + weights
    raise UserError(
        f"hf://{repository}: its weights are in a form that is not read here; "
        "choose a repository with model.safetensors"
    )


def _cached(hub: Any, name: str, revision: str | None, cause: BaseException) -> Path:
    """What was downloaded before; ``cause``, why the hub gave no answer, is raised when it refused one."""
    denied = (
        hub.errors.RepositoryNotFoundError,
        hub.errors.RevisionNotFoundError,
        hub.errors.DisabledRepoError,
    )
    if isinstance(cause, denied):
        raise cause
    try:
        folder = Path(hub.snapshot_download(name, revision=revision, local_files_only=True))
    except hub.errors.LocalEntryNotFoundError as error:
        # A snapshot is incomplete to the hub when we left out what is not read.
        partial = getattr(error, "snapshot_path", None)
        if partial is None:
            raise cause from None
        folder = Path(partial)
    try:
        weight_files(folder)
    except UserError:
        raise cause from None
    report.say(f"hf://{name}: the hub cannot be asked; using what was downloaded before")
    return folder


@contextmanager
def _explaining(hub: Any, name: str, revision: str | None) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except (OSError, ValueError) as error:
        _explain(hub.errors, error, f"hf://{name}", revision)
    except Exception as error:
        # The hub's own client reports a broken connection by classes of its HTTP library.
        raise RunError(f"hf://{name}: downloading failed ({_first_line(error)}); try again") from None


def _explain(errors: Any, error: Exception, where: str, revision: str | None) -> NoReturn:
    """One sentence for each way in which the hub refuses; kinds stand before what they are kinds of."""
    sentences: list[tuple[type[Exception], str]] = [
        (
            errors.GatedRepoError,
            "its owner asks for consent; agree on its page at huggingface.co and set HF_TOKEN",
        ),
        (errors.DisabledRepoError, "it was disabled on the hub; choose another"),
        (
            errors.RepositoryNotFoundError,
            "there is no such repository, or it is private; mind the spelling, or set HF_TOKEN",
        ),
        (
            errors.RevisionNotFoundError,
            f"it has no revision {revision!r}; give a branch, tag or commit of it",
        ),
        (errors.HFValidationError, "not a name the hub can have; write hf://owner/name"),
    ]
    for kind, sentence in sentences:
        if isinstance(error, kind):
            raise UserError(f"{where}: {sentence}") from None
    if isinstance(error, errors.OfflineModeIsEnabled):
        raise RunError(f"{where}: not in the cache, and HF_HUB_OFFLINE forbids to download it") from None
    raise RunError(
        f"{where}: cannot be downloaded ({_first_line(error)}); look at network and disk, then try again"
    ) from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0][:160]
