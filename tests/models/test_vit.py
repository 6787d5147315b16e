"""The Vision Transformer: published sizes, images of any size, and what a file may ask."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from tests.models.drawn import CLOSE, drawn
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.hub.folder import load, save
from glassformer.models.vit import PRESETS, Config, Model, fitted, read, write

transformers = pytest.importorskip("transformers")
transformers.logging.disable_progress_bar()

TINY = {"dim": 16, "depth": 2, "heads": 4, "mlp_dim": 24, "patch": 2, "image_size": 8, "classes": 5}


def _model(settings: dict[str, Any], **more: Any) -> Model:
    return drawn(Model(Config(**(settings | more))))


def _hidden(model: Model, images: Tensor) -> Tensor:
    with torch.no_grad():
        return model.hidden({"images": images})


# --- sizes -------------------------------------------------------------------------------------------------

# At 224 × 224 pixels with 1,000 classes.
SIZES = [
    ("vit-ti16", 5_717_416),
    ("vit-s16", 22_050_664),
    ("vit-b16", 86_567_656),
    ("vit-b32", 88_224_232),
    ("vit-l16", 304_326_632),
    ("vit-l32", 306_535_400),
    ("vit-h14", 632_045_800),
]


@pytest.mark.parametrize(("preset", "size"), SIZES)
def test_the_published_sizes_have_as_many_weights_as_in_transformers(preset: str, size: int) -> None:
    config = Config(**(PRESETS[preset] | {"classes": 1000}))
    with torch.device("meta"):
        model = Model(config)
        settings = transformers.AutoConfig.for_model(**write(config))
        theirs = transformers.ViTForImageClassification(settings)
    assert sum(weight.numel() for weight in model.parameters()) == size
    assert sum(weight.numel() for weight in theirs.parameters()) == size


@pytest.mark.parametrize(("preset", "patches"), [("digits", 16), ("small-images", 49)])
def test_small_sizes_read_small_images(preset: str, patches: int) -> None:
    model = Model(Config(**(PRESETS[preset] | {"classes": 10}))).eval()
    side = PRESETS[preset]["image_size"]
    images = torch.randn(2, 1, side, side)
    with torch.no_grad():
        assert model.encode(images).shape == (2, patches + 1, model.config.dim)
        assert model({"images": images}).shape == (2, 10)


def test_a_model_can_be_counted_before_the_data_is_known() -> None:
    unknown = TINY | {"image_size": 0, "classes": 0}
    with torch.device("meta"):
        model, known = Model(Config(**unknown)), Model(Config(**TINY))
    counts = [sum(weight.numel() for weight in one.parameters()) for one in (model, known)]
    places, classes = 15 * 16, 4 * 17
    assert counts[1] - counts[0] == places + classes


def test_weights_begin_small_and_biases_at_nought() -> None:
    torch.manual_seed(1)
    model = Model(Config(**(TINY | {"dim": 64, "mlp_dim": 128, "image_size": 32})))
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            assert not weight.any(), name
        elif "norm" in name:
            assert bool((weight == 1).all()), name
        elif weight.numel() > 1000:
            assert 0.018 < float(weight.detach().std()) < 0.022, name
    assert model.class_token is not None
    assert 0 < float(model.class_token.detach().abs().max()) < 0.1


# --- images ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", ["class", "mean"])
@pytest.mark.parametrize("size", [(8, 8), (12, 12), (6, 4), (9, 15), (2, 2)])
def test_images_of_any_size_are_seen(size: tuple[int, int], pool: str) -> None:
    model = _model(TINY, pool=pool)
    images = torch.randn(3, 3, *size)
    together = _hidden(model, images)
    assert together.shape == (3, 16)
    assert bool(together.isfinite().all())
    torch.testing.assert_close(_hidden(model, images[1:2]), together[1:2], **CLOSE)


def test_every_patch_and_its_place_matter() -> None:
    for pool in ("class", "mean"):
        model = _model(TINY, pool=pool)
        images = torch.randn(1, 3, 8, 8)
        before = _hidden(model, images)
        for row, column in ((0, 0), (3, 5), (7, 7)):
            changed = images.clone()
            changed[0, :, row, column] += 3
            assert not torch.allclose(_hidden(model, changed), before, atol=1e-3)
        assert not torch.allclose(_hidden(model, images.flip(-1)), before, atol=1e-3)


def test_the_mean_is_that_of_the_patches_without_a_class_token() -> None:
    model = _model(TINY, pool="mean")
    images = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        patches = model.encode(images)
    assert model.class_token is None
    assert patches.shape == (2, 16, 16)
    torch.testing.assert_close(_hidden(model, images), patches.mean(dim=1))


def test_a_model_trained_for_images_that_are_not_square_equals_transformers(tmp_path: Path) -> None:
    model = _model(TINY, image_size=(8, 12), patch=4)
    save(tmp_path / "model", model, None)
    assert load(tmp_path / "model").config == model.config
    theirs = transformers.ViTForImageClassification.from_pretrained(tmp_path / "model").eval()
    images = torch.randn(2, 3, 8, 12)
    with torch.no_grad():
        torch.testing.assert_close(model({"images": images}), theirs(images).logits, **CLOSE)
    # transformers cannot stretch these places; here they can be.
    assert _hidden(model, torch.randn(2, 3, 12, 12)).shape == (2, 16)


@pytest.mark.parametrize(
    ("shape", "says"), [((1, 8, 8), "images of 1 channels"), ((3, 1, 8), "smaller than")]
)
def test_images_that_do_not_suit_are_refused(shape: tuple[int, ...], says: str) -> None:
    with pytest.raises(UserError, match=says):
        _hidden(_model(TINY), torch.zeros(1, *shape))


def _drawn(seed: int) -> Config:
    chance = random.Random(seed)
    count, patch = chance.randint(1, 4), chance.randint(1, 4)
    side = patch * chance.randint(1, 5) + chance.randrange(patch)
    return Config(
        head=chance.choice(["classifier", "pooler"]),
        dim=count * chance.randint(2, 9),
        depth=chance.randint(1, 3),
        heads=count,
        mlp_dim=chance.randint(5, 40),
        patch=patch,
        activation=chance.choice(["relu", "gelu", "gelu_tanh", "silu"]),
        qkv_bias=chance.choice([True, False]),
        eps=chance.choice([1e-12, 1e-6]),
        image_size=side,
        channels=chance.randint(1, 4),
        classes=chance.randint(2, 7),
    )


def _agree(ours: Model, theirs: Any, images: Tensor) -> None:
    with torch.no_grad():
        told = theirs(images, interpolate_pos_encoding=True)
        scores = ours({"images": images})
        if ours.config.head == "classifier":
            torch.testing.assert_close(scores, told.logits, **CLOSE)
        else:
            torch.testing.assert_close(ours.encode(images), told.last_hidden_state, **CLOSE)
            torch.testing.assert_close(ours.pooled(scores), told.pooler_output, **CLOSE)


@pytest.mark.parametrize("seed", range(8))
def test_random_sizes_agree_with_transformers_in_both_directions(seed: int, tmp_path: Path) -> None:
    torch.manual_seed(seed)
    config = _drawn(seed)
    side, patch = config.size[0], config.patch
    shapes = [(side, side), (side + patch, 2 * side), (3 * patch, patch + 1)]
    seen = [torch.randn(2, config.channels, *shape) for shape in shapes]
    ours = _model(config.model_dump())
    save(tmp_path / "ours", ours, None)
    kind = getattr(transformers, write(config)["architectures"][0])
    theirs = kind.from_pretrained(tmp_path / "ours").eval()
    for images in seen:
        _agree(ours, theirs, images)
    drawn(theirs)
    theirs.save_pretrained(tmp_path / "theirs")
    opened = load(tmp_path / "theirs")
    assert opened.config == config
    for images in seen:
        _agree(opened.model, theirs, images)


# --- heads -------------------------------------------------------------------------------------------------


def test_a_model_without_a_classifier_gives_its_hidden_vectors() -> None:
    model = _model(TINY, head="none")
    images = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        assert torch.equal(model({"images": images}), _hidden(model, images))


def test_a_model_without_a_pooler_says_so() -> None:
    with pytest.raises(UserError, match="no pooler"):
        _model(TINY).pooled(torch.zeros(1, 16))


def test_a_model_without_a_pooler_opens_in_transformers_when_it_is_told_so(tmp_path: Path) -> None:
    model = _model(TINY, head="none")
    save(tmp_path / "model", model, None)
    assert load(tmp_path / "model").config == model.config
    theirs = transformers.ViTModel.from_pretrained(tmp_path / "model", add_pooling_layer=False).eval()
    images = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        told = theirs(images).last_hidden_state
        torch.testing.assert_close(model.encode(images), told, **CLOSE)


# --- configurations ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"heads": 3}, "does not divide"),
        ({"patch": 9}, "image_size 8 is smaller than a patch of 9"),
        ({"labels": ("a", "b")}, "2 labels for 5 classes"),
        ({"pool": "mean", "head": "pooler"}, "use pool: class"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Config(**(TINY | settings))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"labels": ("고양이", "개", "c", "d", "e")},
        {"head": "pooler", "qkv_bias": False},
        {"head": "none", "activation": "gelu_tanh"},
        {"pool": "mean", "image_size": (8, 6), "channels": 1},
        {"pool": "mean", "head": "none"},
        {"classes": 0},
    ],
)
def test_a_configuration_comes_back_from_what_is_written(settings: dict[str, Any]) -> None:
    config = Config(**(TINY | settings))
    assert read(write(config)) == config


def test_only_the_mean_of_patches_is_a_type_of_our_own() -> None:
    assert write(Config(**TINY))["model_type"] == "vit"
    assert write(Config(**(TINY | {"pool": "mean"})))["model_type"] == "glassformer-vit"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hidden_act": "quick_gelu"}, "hidden_act is 'quick_gelu'"),
        ({"patch_size": [2, 4]}, r"patch_size is \[2, 4\]"),
        ({"architectures": ["ViTForMaskedImageModeling"]}, "ViTForMaskedImageModeling"),
        ({"architectures": ["ViTModel"], "pooler_act": "relu"}, "pooler_act 'relu'"),
        ({"architectures": ["ViTModel"], "pooler_output_size": 7}, "pooler_output_size 7"),
        ({"id2label": {"0": "a", "2": "b"}}, "id2label should number 2 classes from 0"),
    ],
)
def test_what_a_file_asks_for_and_is_not_here_is_refused_by_its_key(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says) as refused:
        read(write(Config(**TINY)) | changes)
    assert "\n" not in str(refused.value)


def test_sizes_that_a_file_writes_as_pairs_are_read() -> None:
    config = read(write(Config(**TINY)) | {"patch_size": [2, 2], "image_size": [8, 8]})
    assert config.patch == 2
    assert config.size == (8, 8)


def test_classes_without_names_are_as_many_as_the_file_says() -> None:
    written = write(Config(**TINY))
    del written["id2label"]
    assert read(written).classes == 2
    assert read(written | {"num_labels": 7}).classes == 7


def test_the_head_is_that_of_the_file_where_its_config_says_less() -> None:
    pooler = Config(**(TINY | {"head": "pooler"}))
    assert fitted(pooler, ["vit.pooler.dense.weight"]) == pooler
    assert fitted(pooler, ["vit.layernorm.weight"]).head == "none"
    assert fitted(Config(**TINY), []).head == "classifier"
