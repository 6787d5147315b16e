"""``hf://owner/name``: what is fetched, what is said, and one sentence for each way in which it fails."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from tests.hub.tiny_model import SIZES

from glassformer.base import config as settings
from glassformer.base.errors import RunError, UserError
from glassformer.hub import remote
from glassformer.hub.folder import load, resolve, save
from glassformer.models.transformer import Config, Model

hub = pytest.importorskip("huggingface_hub")
errors = pytest.importorskip("huggingface_hub.errors")
http = pytest.importorskip("httpx2", reason="the hub's client builds its errors from its HTTP library")


@dataclass(frozen=True)
class Info:
    """What a dry run tells of a file."""

    filename: str
    file_size: int | None = 2_000_000
    will_download: bool = True
    commit_hash: str = "c0ffee"


@dataclass
class Hub:
    """A hub of one repository: its files lie in a folder; ``asked`` keeps each call."""

    files: Sequence[Info]
    cache: Path
    problem: Exception | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def snapshot_download(self, name: str, **options: Any) -> Any:
        self.asked.append({"name": name, **options})
        if self.problem is not None:
            if options.get("local_files_only"):
                raise errors.LocalEntryNotFoundError("not in the cache")
            if options.get("dry_run"):
                raise errors.DryRunError("no answer") from self.problem
            raise self.problem
        patterns = options.get("allow_patterns") or ["*"]
        found = [info for info in self.files if any(fnmatch(info.filename, one) for one in patterns)]
        return found if options.get("dry_run") else str(self.cache)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    save(tmp_path / "snapshot", Model(Config(**SIZES)), None)
    return tmp_path / "snapshot"


@pytest.fixture
def stub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Hub]:
    def make(*names: str | Info, problem: Exception | None = None) -> Hub:
        known = [Info(name) if isinstance(name, str) else name for name in names]
        fake = Hub(known, cache, problem)
        monkeypatch.setattr(hub, "snapshot_download", fake.snapshot_download)
        return fake

    return make


def _answer(status: int) -> Any:
    return http.Response(status, request=http.Request("GET", "https://huggingface.co/api"))


SMALL = ("config.json", "tokenizer.json", "README.md")


def test_a_model_is_opened_from_the_hub_where_a_folder_is_asked_for(
    stub: Callable[..., Hub], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = stub(*SMALL, "model.safetensors")
    assert load("hf://owner/name").folder == cache
    assert [one["name"] for one in fake.asked] == ["owner/name"] * 2
    said = capsys.readouterr().err
    assert said == "hf://owner/name: downloading 4 files, 8.0 MB\n"


def test_a_path_that_folded_the_slashes_is_the_same_address(stub: Callable[..., Hub], cache: Path) -> None:
    stub(*SMALL, "model.safetensors")
    assert resolve(Path("hf://owner/name")) == cache


def test_nothing_is_asked_of_the_hub_for_a_folder_of_that_name(
    stub: Callable[..., Hub], tmp_path: Path
) -> None:
    fake = stub(*SMALL, "model.safetensors")
    with pytest.raises(UserError, match="there is no such folder"):
        load(tmp_path / "owner" / "name")
    assert fake.asked == []


def test_only_what_is_read_is_fetched_and_one_form_of_the_weights(stub: Callable[..., Hub]) -> None:
    wanted = [*SMALL, "vocab.txt", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    wanted += ["model.safetensors.index.json"]
    others = ["pytorch_model.bin", "consolidated.safetensors", "onnx/model.onnx", "onnx/model.safetensors"]
    others += ["training_args.bin", "openvino/config.json"]
    fake = stub(*wanted, *others)
    remote.download("hf://owner/name")
    assert sorted(fake.asked[-1]["allow_patterns"]) == sorted(wanted)


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        (("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"), ["model.safetensors"]),
        (("pytorch_model.bin", "flax_model.msgpack"), ["pytorch_model.bin"]),
        (
            ("pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"),
            ["pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"],
        ),
    ],
)
def test_older_weights_are_fetched_only_where_there_are_no_others(
    there: tuple[str, ...], taken: list[str], stub: Callable[..., Hub]
) -> None:
    fake = stub("config.json", *there)
    remote.download("hf://owner/name")
    assert fake.asked[-1]["allow_patterns"] == ["config.json", *taken]


def test_what_is_in_the_cache_is_not_announced(
    stub: Callable[..., Hub], capsys: pytest.CaptureFixture[str]
) -> None:
    stub(*(Info(name, will_download=False) for name in (*SMALL, "model.safetensors")))
    remote.download("hf://owner/name")
    assert capsys.readouterr().err == ""


def test_a_revision_is_handed_on(stub: Callable[..., Hub]) -> None:
    fake = stub("config.json", "model.safetensors")
    remote.download("hf://owner/name@refs/pr/1")
    assert [one["revision"] for one in fake.asked] == ["refs/pr/1"] * 2


@pytest.mark.parametrize(
    "address", ["hf://name", "hf://a/b/c", "hf://", "hf://a/b@", "hf://a b/c", "hf://../x y"]
)
def test_an_address_that_is_none_is_refused_before_anything_is_asked(
    address: str, stub: Callable[..., Hub]
) -> None:
    fake = stub()
    with pytest.raises(UserError, match="write hf://owner/name"):
        load(address)
    assert fake.asked == []


def test_a_repository_without_a_model_is_named(stub: Callable[..., Hub]) -> None:
    stub("README.md", "data.json")
    with pytest.raises(
        UserError, match=r"^hf://owner/name: no model here; a model folder has a config\.json$"
    ):
        load("hf://owner/name")
    stub("config.json", "tf_model.h5")
    with pytest.raises(UserError, match="weights are in a form that is not read here"):
        load("hf://owner/name")


@pytest.mark.parametrize(
    ("problem", "kind", "says"),
    [
        (
            errors.RepositoryNotFoundError("404", response=_answer(404)),
            UserError,
            "no such repository, or it is priv",
        ),
        (
            errors.GatedRepoError("403", response=_answer(403)),
            UserError,
            "its owner asks for consent; .* HF_TOKEN",
        ),
        (errors.RevisionNotFoundError("404", response=_answer(404)), UserError, "it has no revision 'v9'"),
        (errors.DisabledRepoError("403", response=_answer(403)), UserError, "it was disabled"),
        (errors.OfflineModeIsEnabled("no"), RunError, "not in the cache, and HF_HUB_OFFLINE forbids"),
        (http.ConnectError("name or service not known"), RunError, "name or service not known"),
        (errors.HfHubHTTPError("503 later", response=_answer(503)), RunError, "503 later"),
        (OSError(28, "No space left on device"), RunError, "No space left on device"),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_each_way_in_which_the_hub_refuses_is_one_sentence(  # noqa: PLR0917
    late: bool,
    problem: Exception,
    kind: type[Exception],
    says: str,
    stub: Callable[..., Hub],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = stub("config.json", "model.safetensors", problem=problem)
    if late:  # the list of files came, and the files do not
        asked = fake.snapshot_download

        def listed(name: str, **options: Any) -> Any:
            return fake.files if options.get("dry_run") else asked(name, **options)

        monkeypatch.setattr(hub, "snapshot_download", listed)
    with pytest.raises(kind, match=says) as told:
        load("hf://owner/name@v9")
    assert type(told.value) is kind
    assert "\n" not in str(told.value)
    assert str(told.value).startswith("hf://owner/name: ")


def test_without_the_hub_what_was_downloaded_before_is_used(
    stub: Callable[..., Hub], cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = stub(problem=errors.OfflineModeIsEnabled("no"))
    asked = fake.snapshot_download

    def part(name: str, **options: Any) -> Any:
        if options.get("local_files_only"):
            raise errors.IncompleteSnapshotError("onnx is missing", snapshot_path=str(cache))
        return asked(name, **options)

    monkeypatch.setattr(hub, "snapshot_download", part)
    assert load("hf://owner/name").folder == cache
    assert "using what was downloaded before" in capsys.readouterr().err
    (cache / "model.safetensors").unlink()
    (cache / "manifest.json").unlink()
    with pytest.raises(RunError, match="not in the cache"):
        load("hf://owner/name")


def test_the_real_hub_in_offline_mode_finds_what_is_in_its_cache_and_nothing_else(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RunError, match="HF_HUB_OFFLINE"):
        load("hf://owner/name")
    kept = tmp_path / "hub" / "models--owner--name"
    shutil.copytree(cache, kept / "snapshots" / ("c" * 40))
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("c" * 40)
    assert load("hf://owner/name").folder == kept / "snapshots" / ("c" * 40)


def test_without_the_extra_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"hf://owner/name: .*pip install 'glassformer\[hub\]'"):
        load("hf://owner/name")


def test_an_address_in_a_recipe_stays_what_it_is(tmp_path: Path) -> None:
    class Asked(settings.Settings):
        init: settings.DataPath

    (tmp_path / "recipe.yaml").write_text("init: hf://owner/name@main\n")
    assert settings.load(Asked, tmp_path / "recipe.yaml").init == "hf://owner/name@main"
