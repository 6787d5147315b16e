"""A model of images opened for use: files, images and bytes in, labels with probabilities out."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_family import write_vit
from transformers import ViTForImageClassification, ViTImageProcessorPil

import glassformer as gf
from glassformer.api import viewer
from glassformer.base.errors import RunError, UserError

BYTES = np.random.default_rng(0).integers(0, 256, (5, 8, 8), dtype=np.uint8)
TOLD = {"image_mean": [0.3], "image_std": [0.2], "size": {"height": 8, "width": 8}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_vit(tmp_path_factory.mktemp("vit") / "model", **TOLD)


@pytest.fixture(scope="module")
def model(folder):
    return gf.load(folder, device="cpu")


def close(one, other):
    assert [label for label, _ in one] == [label for label, _ in other]
    assert [share for _, share in one] == pytest.approx([share for _, share in other], abs=1e-6)


def test_labels_come_with_the_probabilities_of_the_model(model):
    assert isinstance(model, gf.Viewer)
    (found,) = model.predict(BYTES[0])
    values = (torch.from_numpy(BYTES[0])[None, None] / 255 - 0.3) / 0.2
    with torch.no_grad():
        shares = model.model({"images": values})[0].softmax(-1).tolist()
    expected = sorted(zip(("cat", "dog", "고래"), shares, strict=True), key=lambda pair: -pair[1])
    close(found, expected)
    assert model.predict(BYTES[0], top_k=1) == [found[:1]]


def test_arrays_images_and_files_are_seen_alike(model, tmp_path):
    image = Image.fromarray(BYTES[0])
    image.save(tmp_path / "a.png")
    kinds = [BYTES[0], BYTES[0][:, :, None], image, tmp_path / "a.png", str(tmp_path / "a.png")]
    found = model.predict(kinds)
    for one, kind in zip(found, kinds, strict=True):
        close(one, found[0])
        close(model.predict(kind)[0], found[0])
    assert model.predict([]) == []


def test_many_images_are_seen_a_few_at_a_time(model, monkeypatch):
    found = model.predict(BYTES)
    assert len(found) == len(BYTES)
    monkeypatch.setattr(viewer, "AT_ONCE", 2)
    for one, other in zip(model.predict(list(BYTES)), found, strict=True):
        close(one, other)


def test_color_becomes_gray_and_gray_becomes_color(model, tmp_path):
    gray = Image.fromarray(BYTES[0])
    close(model.predict(gray.convert("RGB"))[0], model.predict(gray)[0])
    color = gf.load(write_vit(tmp_path / "color", channels=3))
    close(color.predict(gray)[0], color.predict(gray.convert("RGB"))[0])
    close(color.predict(BYTES[0])[0], color.predict(gray)[0])
    close(color.predict(gray.convert("RGBA"))[0], color.predict(gray)[0])
    clear = Image.new("RGBA", (8, 8), (9, 9, 9, 0))
    close(color.predict(clear)[0], color.predict(Image.new("L", (8, 8), 255))[0])


def test_other_sizes_are_stretched_as_by_transformers(tmp_path):
    folder = write_vit(tmp_path / "model", channels=3)
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (20, 13, 3), dtype=np.uint8))
    processor = ViTImageProcessorPil(
        size={"height": 8, "width": 8}, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )
    pixels = processor(image, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        shares = ViTForImageClassification.from_pretrained(folder).eval()(pixels).logits[0].softmax(-1)
    found = dict(gf.load(folder).predict(image)[0])
    assert [found[label] for label in ("cat", "dog", "고래")] == pytest.approx(shares.tolist(), abs=1e-4)


def test_the_middle_is_cut_out_where_the_folder_asks_for_it(tmp_path):
    told = {"size": {"shortest_edge": 8}, "do_center_crop": True, "crop_size": {"height": 8, "width": 8}}
    model = gf.load(write_vit(tmp_path / "model", **told))
    wide = np.concatenate([np.zeros((8, 4), np.uint8), BYTES[0], np.zeros((8, 4), np.uint8)], axis=1)
    close(model.predict(wide)[0], model.predict(BYTES[0])[0])


def test_a_folder_whose_form_cannot_be_followed_is_named(tmp_path):
    for number, told in enumerate([{"size": {"depth": 3}}, {"image_mean": [1, 2, 3]}, {"resample": "x"}]):
        model = gf.load(write_vit(tmp_path / str(number), **told))
        with pytest.raises(UserError, match=r"preprocessor_config\.json cannot be followed"):
            model.predict(BYTES[0])


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (7, "image 1: is a int; give a path"),
        (BYTES[0].astype(float), "image 1: is an array of float64; give bytes"),
        (np.zeros((2, 8, 8, 2), np.uint8)[0], "image 1: has the shape"),
        (np.zeros((0, 8), np.uint8), "image 1: has the shape"),
        (Image.new("I;16", (8, 8)), "image 1: has the mode I;16, more than a byte a pixel"),
        ("missing.png", r"missing\.png: no such file"),
    ],
)
def test_what_is_no_image_is_told(model, image, said):
    with pytest.raises(UserError, match=said):
        model.predict([image])


def test_files_that_are_no_images_are_told(model, tmp_path):
    (tmp_path / "a.png").write_text("text", "utf-8")
    with pytest.raises(UserError, match=r"a\.png: not a readable image"):
        model.predict(tmp_path / "a.png")
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "b.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:60])
    with pytest.raises(UserError, match=r"b\.png: not a readable image"):
        model.predict(tmp_path / "b.png")
    with pytest.raises(UserError, match="is a folder; name the images in it"):
        model.predict(tmp_path)


def test_models_without_classes_or_with_other_channels_are_told(tmp_path):
    with pytest.raises(UserError, match="no classifier"):
        gf.load(write_vit(tmp_path / "bare", head="none")).predict(BYTES[0])
    with pytest.raises(UserError, match="images of 4 channels"):
        gf.load(write_vit(tmp_path / "four", channels=4)).predict(BYTES[0])
    with pytest.raises(UserError, match="top_k is 0"):
        gf.load(write_vit(tmp_path / "one")).predict(BYTES[0], top_k=0)


def test_damaged_weights_are_told(folder):
    model = gf.load(folder)
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(RunError, match="not numbers"):
        model.predict(BYTES[0])


def test_what_is_saved_sees_the_same(model, tmp_path):
    model.save(tmp_path / "again")
    assert gf.load(tmp_path / "again").predict(BYTES) == model.predict(BYTES)
    with pytest.raises(UserError, match="it needs one for text"):
        _ = model.tokenizers
