"""Images come from folders and arrays, and what is wrong with them is told with the file."""

import sys

import numpy as np
import pytest

from glassformer.base.errors import UserError
from glassformer.data.pictures import album, converted, resized

Image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
RNG = np.random.default_rng(0)


def draw(path, size=(4, 6), mode="L"):
    """An image of ``height, width`` in a folder of its class."""
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,), "CMYK": (4,)}[mode]
    pixels = RNG.integers(0, 256, (*size, *channels), dtype=np.uint8)
    Image.fromarray(pixels, mode=None if mode != "CMYK" else mode).save(path)
    return pixels


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "photos"


def test_the_folders_of_a_folder_are_classes(folder):
    cat, dog = draw(folder / "dog" / "a" / "1.PNG"), draw(folder / "cat" / "2.png")
    (folder / "empty").mkdir()
    (folder / "cat" / "notes.txt").write_text("not an image")
    (folder / "cat" / ".hidden.png").write_text("not an image")
    found = list(album(str(folder)).read(None))
    assert album(str(folder)).classes() == ("cat", "dog")
    assert [(one.label, one.pixels.shape) for one in found] == [("cat", (4, 6, 1)), ("dog", (4, 6, 1))]
    assert (found[0].pixels[:, :, 0] == dog).all()
    assert (found[1].pixels[:, :, 0] == cat).all()
    assert found[0].where == str(folder / "cat" / "2.png")


def test_color_stays_color_and_is_converted_when_asked(folder):
    pixels = draw(folder / "a" / "1.png", mode="RGB")
    (native,) = album(str(folder)).read(None)
    assert (native.pixels == pixels).all()
    (gray,) = album(str(folder)).read("gray")
    assert gray.pixels.shape == (4, 6, 1)
    assert np.abs(gray.pixels.astype(int) - converted(native.pixels, "gray")).max() <= 1


def test_modes_that_are_not_plain_are_refused_or_converted(folder):
    pixels = draw(folder / "a" / "1.png", mode="RGBA")
    with pytest.raises(UserError, match=r"1\.png: has the mode RGBA, neither plain .*; set data\.mode"):
        list(album(str(folder)).read(None))
    (found,) = album(str(folder)).read("color")
    share = pixels[:, :, 3:] / 255
    laid_on_white = pixels[:, :, :3] * share + 255 * (1 - share)
    assert np.abs(found.pixels - laid_on_white).max() <= 2


@pytest.mark.parametrize("content", [b"", b"no image", b"cut"])
def test_a_damaged_image_is_told_by_its_name(folder, content):
    draw(folder / "a" / "1.png", size=(40, 40))
    path = folder / "b" / "2.png"
    path.parent.mkdir()
    path.write_bytes((folder / "a" / "1.png").read_bytes()[:200] if content == b"cut" else content)
    with pytest.raises(UserError, match=r"2\.png: not a readable image .*; remove it"):
        list(album(str(folder)).read(None))


def test_a_folder_without_images_says_how_they_should_lie(folder):
    draw(folder / "1.png")
    with pytest.raises(UserError, match=r"photos: no images here; .* such as photos/cat/1\.png"):
        album(str(folder)).classes()


def test_a_share_of_a_folder_is_drawn_evenly_and_the_rest_is_the_other(folder):
    for number in range(20):
        draw(folder / ("a" if number < 10 else "b") / f"{number:02}.png")
    parts = [[one.where for one in album(f"{folder}{share}").read(None)] for share in ("[:60%]", "[60%:]")]
    assert (len(parts[0]), len(parts[1])) == (12, 8)
    assert set(parts[0]) | set(parts[1]) == {one.where for one in album(str(folder)).read(None)}
    assert {where.split("/")[-2] for where in parts[1]} == {"a", "b"}
    assert album(f"{folder}[:60%]").classes() == ("a", "b")


def test_without_pillow_the_way_to_it_is_told(folder, monkeypatch):
    draw(folder / "a" / "1.png")
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(UserError, match=r"needs the package pillow; pip install 'glassformer\[images\]'"):
        list(album(str(folder)).read(None))


def test_a_place_that_is_none_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="missing: no such folder or file"):
        album(str(tmp_path / "missing"))
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UserError, match=r"a\.txt: images come as a folder .* or as \.npz"):
        album(str(tmp_path / "a.txt"))


def arrays(path, **given):
    np.savez_compressed(path, **given)
    return str(path)


IMAGES = RNG.integers(0, 256, (150, 4, 6), dtype=np.uint8)
LABELS = np.arange(150, dtype=np.uint8) % 3


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (("x_train", "y_train"), ":train"),
        (("train_images", "train_labels"), ":train"),
        (("val_images", "val_labels"), ":valid"),
        (("X", "y"), ""),
    ],
)
def test_arrays_are_found_by_the_names_people_give_them(names, part, tmp_path):
    path = arrays(tmp_path / "a.npz", **{names[0]: IMAGES, names[1]: LABELS[:, None]})
    found = list(album(path + part).read(None))
    assert (np.stack([one.pixels[:, :, 0] for one in found]) == IMAGES).all()
    assert [one.label for one in found] == [str(label) for label in LABELS]
    assert found[70].where == f"{path}: {names[0]}[70]"
    assert album(path + part).classes() == ("0", "1", "2")


def test_channels_may_stand_first_or_last(tmp_path):
    color = RNG.integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
    last = arrays(tmp_path / "a.npz", x=color, y=LABELS[:5])
    first = arrays(tmp_path / "b.npz", x=np.ascontiguousarray(color.transpose(0, 3, 1, 2)), y=LABELS[:5])
    for path in (last, first):
        assert (np.stack([one.pixels for one in album(path).read(None)]) == color).all()


def test_a_share_of_arrays_is_drawn_evenly(tmp_path):
    path = arrays(tmp_path / "a.npz", x=IMAGES, y=LABELS)
    parts = [[one.where for one in album(path + share).read(None)] for share in ("[:100]", "[100:]")]
    assert (len(parts[0]), len(set(parts[0]) | set(parts[1]))) == (100, 150)
    assert parts[0] != [f"{path}: x[{number}]" for number in range(100)]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"a": IMAGES}, r"has the arrays a, but not x and y or images and labels; name a part"),
        ({"x": IMAGES / 255, "y": LABELS}, r"x is float64; images are bytes"),
        ({"x": IMAGES[0], "y": LABELS}, r"x has the shape \(4, 6\); images are count"),
        ({"x": IMAGES[:9], "y": LABELS}, r"x has 9 images but there are 150 labels"),
        ({"x": IMAGES, "y": LABELS / 2}, r"y is float64 of shape \(150,\); labels are one whole number"),
        ({"x": IMAGES, "y": LABELS.astype(int) - 1}, r"y has the label -1; classes count from 0"),
        ({"x": IMAGES[:0], "y": LABELS[:0]}, r"y is empty; there are no images"),
        ({"x": IMAGES.transpose(0, 2, 1).copy(order="F"), "y": LABELS}, r"x has its columns first"),
    ],
)
def test_arrays_that_cannot_be_used_are_one_sentence(given, problem, tmp_path):
    path = arrays(tmp_path / "a.npz", **given)
    with pytest.raises(UserError, match=r"a\.npz: " + problem):
        list(album(path).read(None))


def test_labels_with_gaps_are_named(tmp_path):
    path = arrays(tmp_path / "a.npz", x=IMAGES, y=LABELS * 2)
    with pytest.raises(UserError, match=r"y goes up to 4, but no image has the label 1, 3; number the"):
        album(path).classes()


def test_a_file_that_only_looks_like_arrays_is_one_sentence(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK nothing")
    with pytest.raises(UserError, match=r"a\.npz: not a readable \.npz file"):
        list(album(str(path)).read(None))
    np.savez(path, x=IMAGES, y=LABELS)
    path.write_bytes(path.read_bytes().replace(IMAGES[3].tobytes(), bytes(24)))
    with pytest.raises(UserError, match=r"a\.npz: not a readable \.npz file \(Bad CRC"):
        list(album(str(path)).read(None))


def test_pickled_objects_are_never_opened(tmp_path):
    path = arrays(tmp_path / "a.npz", x=np.array([{}, {}]), y=LABELS[:2])
    with pytest.raises(UserError, match="x is object; images are bytes"):
        list(album(path).read(None))


def test_a_crop_keeps_the_aspect_and_a_stretch_does_not():
    pixels = np.zeros((10, 20, 1), dtype=np.uint8)
    pixels[:, 5:15] = 200
    assert resized(pixels, 5, 5, "crop").min() > 150
    stretched = resized(pixels, 5, 6, "stretch")[:, :, 0]
    assert (stretched[:, 0] == 0).all()
    assert (stretched[:, 3] > 150).all()
    assert resized(np.zeros((4, 4, 3), dtype=np.uint8), 3, 2, "stretch").shape == (3, 2, 3)


def test_gray_becomes_color_by_repeating():
    gray = RNG.integers(0, 256, (3, 4, 1), dtype=np.uint8)
    assert (converted(gray, "color") == gray).all()
    assert converted(gray, "color").shape == (3, 4, 3)
    assert converted(gray, None) is gray
