"""Augmented images are other views of the same, drawn from one generator and nothing else."""

import numpy as np
import pytest

from glassformer.data.augment import Augment, augmented


@pytest.fixture
def images():
    """Images whose pixels are all different and never black."""
    return np.random.default_rng(3).integers(1, 256, (40, 9, 7, 3), dtype=np.uint8)


def views(images, seed=0, **settings):
    before = images.copy()
    found = augmented(images, np.random.default_rng(seed), Augment(**settings))
    assert (images == before).all()
    assert (found.shape, found.dtype) == (images.shape, np.uint8)
    return found


@pytest.mark.parametrize("settings", [{"shift": 2}, {"flip": True}, {"crop": 0.3}, {"erase": 1.0}])
def test_chance_comes_from_the_generator_alone(images, settings):
    assert (views(images, **settings) == views(images, **settings)).all()
    assert (views(images, **settings) != views(images, seed=1, **settings)).any()


def test_nothing_asked_for_changes_nothing(images):
    assert views(images) is images


def test_a_shift_moves_the_whole_image_and_lets_black_in(images):
    offsets = set()
    for image, view in zip(images, views(images, shift=2), strict=True):
        found = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if (_shifted(image, down, right) == view).all()
        ]
        assert len(found) == 1
        offsets.update(found)
    assert {down for down, _ in offsets} == {right for _, right in offsets} == {-2, -1, 0, 1, 2}


def _shifted(image, down, right):
    height, width, _ = image.shape
    wide = np.pad(image, ((2, 2), (2, 2), (0, 0)))
    return wide[2 - down : 2 - down + height, 2 - right : 2 - right + width]


def test_half_of_the_images_are_mirrored_and_none_otherwise_changed(images):
    found = views(images, flip=True)
    mirrored = [(view == image[:, ::-1]).all() for image, view in zip(images, found, strict=True)]
    same = [(view == image).all() for image, view in zip(images, found, strict=True)]
    assert all(one != other for one, other in zip(mirrored, same, strict=True))
    assert 8 < sum(mirrored) < 32


def test_a_crop_of_one_shade_is_that_shade_and_a_slope_stays_a_slope():
    flat = np.full((5, 8, 8, 1), 77, dtype=np.uint8)
    assert (views(flat, crop=0.2) == 77).all()
    slope = np.tile(np.arange(0, 160, 20, dtype=np.uint8)[None, None, :, None], (30, 8, 1, 1))
    steps = np.diff(views(slope, crop=0.3)[:, :, :, 0].astype(int), axis=2)
    assert steps.min() >= 0
    assert steps.max() <= 21
    assert (views(slope, crop=0.3) != slope).any()


def test_an_erased_patch_is_a_rectangle_of_noise(images):
    for image, view in zip(images, views(images, erase=1.0), strict=True):
        changed = (view != image).any(2)
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        area = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
        # A pixel of noise is what was there before only by chance.
        assert changed.sum() >= area - 2
        assert area <= 0.6 * changed.size


def test_so_many_are_erased_as_asked(images):
    many = np.repeat(images, 10, axis=0)
    changed = (views(many, erase=0.25) != many).any((1, 2, 3)).mean()
    assert 0.18 < changed < 0.32


@pytest.mark.parametrize("wrong", [{"shift": -1}, {"crop": 0.0}, {"erase": 1.5}, {"rotate": 3}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Augment(**wrong)
