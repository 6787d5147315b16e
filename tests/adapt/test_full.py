"""Full fine-tuning is what a recipe means that says nothing."""

from glassformer.adapt.full import Config
from glassformer.api.recipe import Recipe
from glassformer.base.config import load


def test_it_is_what_a_recipe_means_that_says_nothing():
    asked = ["data.train=a.tsv", "train.steps=1"]
    assert load(Recipe, None, asked, {}).adapt == Config()
    assert load(Recipe, None, [*asked, "adapt=full"], {}).adapt == Config()
