"""Images of a recipe: one form, the classes and figures of the training images, rows that count as one."""

import os
from pathlib import Path

import numpy as np
import pytest

from glassformer.base.errors import UserError
from glassformer.data import images as module
from glassformer.data.augment import Augment
from glassformer.data.images import Config, augmentation, facts, mean_and_std, stores, texts
from glassformer.data.stream import Rows

Image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
DATA = Path(os.environ.get("GLASSFORMER_DATA", "../shared/data"))
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSFORMER_CACHE", str(tmp_path / "cache"))


def draw(path, size=(4, 4), channels=()):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (*size, *channels), dtype=np.uint8)).save(path)


@pytest.fixture
def photos(tmp_path):
    for name in ("dog/1.png", "dog/2.png", "cat/1.png"):
        draw(tmp_path / "photos" / name)
    return tmp_path / "photos"


def config(train, **settings):
    return Config.model_validate({"train": str(train), **settings})


def rows(asked, split="train"):
    return stores(asked, split, lambda examples: pytest.fail("images need no encoding"), {})


def test_rows_are_bytes_and_the_number_of_the_class(photos):
    ((found, weight),) = rows(config(photos))
    assert isinstance(found, Rows)
    assert (len(found), weight) == (3, 1.0)
    assert [found[row].arrays["label"].tolist() for row in range(3)] == [[0], [1], [1]]
    pixels = found[1].arrays["image"]
    assert pixels.dtype == np.uint8
    assert (pixels.reshape(4, 4) == np.asarray(Image.open(photos / "dog" / "1.png"))).all()
    assert rows(config(photos), "valid") == []


def test_an_image_costs_one_in_a_batch(photos):
    ((found, _),) = rows(config(photos))
    assert found.lengths.tolist() == [1, 1, 1]
    assert found.lengths.strides == (0,)
    assert config(photos, batch_size=17).tokens_per_batch == 17
    assert found.folder == found.store.folder


def test_the_facts_are_those_of_the_training_images(photos):
    known = facts(config(photos))
    pixels = np.stack([np.asarray(Image.open(path)) for path in sorted(photos.glob("*/*"))]) / 255
    assert (known["classes"], known["labels"]) == (2, ("cat", "dog"))
    assert (known["image_size"], known["channels"]) == (4, 1)
    assert known["mean"] == pytest.approx((pixels.mean(),), abs=1e-6)
    assert known["std"] == pytest.approx((pixels.std(),), abs=1e-6)
    assert list(texts(config(photos))) == []


def test_facts_and_training_read_the_images_once(photos, monkeypatch):
    facts(config(photos))
    monkeypatch.setattr(module, "_encode", lambda examples: pytest.fail("read again"))
    rows(config(photos))
    draw(photos / "cat" / "2.png")
    with pytest.raises(pytest.fail.Exception, match="read again"):
        rows(config(photos))


def test_mean_and_std_are_of_each_channel_and_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 7)
    pixels = RNG.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x=pixels, y=np.arange(6) % 2)
    known = facts(config(tmp_path / "a.npz"))
    assert known["image_size"] == (5, 4)
    assert known["mean"] == pytest.approx((pixels / 255).mean((0, 1, 2)), abs=1e-6)
    assert known["std"] == pytest.approx((pixels / 255).std((0, 1, 2)), abs=1e-6)


def test_images_of_one_shade_leave_nothing_to_divide_by(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.full((4, 2, 2), 255, dtype=np.uint8), y=np.arange(4) % 2)
    ((found, _),) = rows(config(tmp_path / "a.npz"))
    assert mean_and_std([found.store], 1) == ((1.0,), (1.0,))


def test_other_sizes_are_told_with_both_files_and_sizes(photos):
    draw(photos / "dog" / "3.png", size=(5, 4))
    expected = r"dog.3\.png: is 5×4 gray but .*cat.1\.png is 4×4 gray; .* data\.resize"
    with pytest.raises(UserError, match=expected):
        rows(config(photos))
    with pytest.raises(
        UserError, match=r"dog.3\.png: is 5×4 gray but data\.image_size is 4×4; set data\.resize"
    ):
        rows(config(photos, image_size=4))
    ((found, _),) = rows(config(photos, image_size=(3, 2), resize="crop"))
    assert {len(found[row].arrays["image"]) for row in range(4)} == {6}


def test_gray_among_color_is_told_or_converted(photos):
    draw(photos / "dog" / "3.png", channels=(3,))
    with pytest.raises(UserError, match=r"dog.3\.png: is 4×4 color but .* is 4×4 gray; .* data\.mode"):
        rows(config(photos))
    assert facts(config(photos, mode="color"))["channels"] == 3
    assert facts(config(photos, mode="gray"))["channels"] == 1


def test_validation_images_must_be_like_those_for_training(photos, tmp_path):
    draw(tmp_path / "held" / "dog" / "1.png", size=(6, 6))
    with pytest.raises(UserError, match=r"held.dog.1\.png: is 6×6 gray but .*photos"):
        rows(config(photos, valid=str(tmp_path / "held")), "valid")
    draw(tmp_path / "other" / "fox" / "1.png")
    with pytest.raises(UserError, match=r"fox.1\.png: the class fox has no training images"):
        rows(config(photos, valid=str(tmp_path / "other")), "valid")


def test_a_class_keeps_its_number_where_others_are_missing(photos, tmp_path):
    draw(tmp_path / "held" / "dog" / "1.png")
    ((found, _),) = rows(config(photos, valid=str(tmp_path / "held")), "valid")
    assert found[0].arrays["label"].tolist() == [1]


def test_one_class_is_nothing_to_tell_apart(tmp_path):
    draw(tmp_path / "photos" / "cat" / "1.png")
    with pytest.raises(UserError, match="photos: all images are of one class, cat; telling apart needs two"):
        facts(config(tmp_path / "photos"))


def test_an_empty_share_is_one_sentence(photos):
    with pytest.raises(UserError, match="this share has no images"):
        facts(config(f"{photos}[:0%]"))
    with pytest.raises(UserError, match="this share has no images"):
        rows(config(photos, valid=f"{photos}[3:]"), "valid")


def test_numbered_classes_of_several_files_are_counted_together(tmp_path):
    for name, count in (("a", 12), ("b", 3)):
        np.savez(tmp_path / f"{name}.npz", x=np.ones((count, 2, 2), dtype=np.uint8), y=np.arange(count))
    asked = Config.model_validate({"train": [str(tmp_path / "b.npz"), str(tmp_path / "a.npz")]})
    assert facts(asked)["labels"] == tuple(map(str, range(12)))


def test_settings_that_do_not_go_together_are_refused(photos):
    with pytest.raises(ValueError, match="resize needs image_size"):
        config(photos, resize="crop")
    with pytest.raises(ValueError, match="at least 1"):
        config(photos, image_size=0)


def test_augmentation_is_none_where_nothing_is_asked_for(photos):
    assert augmentation(config(photos)) is None
    change = augmentation(config(photos, augment={"shift": 1, "flip": True}))
    images = RNG.integers(0, 256, (3, 4, 4, 1), dtype=np.uint8)
    assert change.keywords == {"settings": Augment(shift=1, flip=True)}
    assert change(images, np.random.default_rng(0)).shape == images.shape


def test_the_digits_are_images_like_others():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    asked = config("generated:digits", valid="generated:digits/valid")
    known = facts(asked)
    assert (known["classes"], known["image_size"], known["channels"]) == (10, 8, 1)
    assert known["mean"][0] == pytest.approx(0.305, abs=0.01)
    assert [len(rows(asked, split)[0][0]) for split in ("train", "valid")] == [1397, 200]


def test_fashion_mnist_is_read_in_its_parts():
    path = DATA / "img-fashion" / "fashion_12k_3k.npz"
    if not path.exists():
        pytest.skip("no img-fashion under GLASSFORMER_DATA")
    asked = config(f"{path}:train[:10%]", test=f"{path}:test")
    known = facts(asked)
    assert (known["classes"], known["image_size"], known["channels"]) == (10, 28, 1)
    assert known["mean"][0] == pytest.approx(0.286, abs=0.01)
    ((test, _),) = rows(asked, "test")
    with np.load(path) as arrays:
        assert (test[2999].arrays["image"].reshape(28, 28) == arrays["x_test"][2999]).all()
        assert test[2999].arrays["label"][0] == arrays["y_test"][2999]
