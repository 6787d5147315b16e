"""Plug-ins are found by file name, without being imported."""

import sys

import pytest

from glassformer.base import plugins
from glassformer.base.errors import UserError


def test_a_plug_in_is_a_file_that_defines_config(garden):
    assert plugins.names("flowers") == ("orchid", "rose", "tulip")


def test_listing_imports_nothing(garden):
    plugins.names("flowers")
    assert not [name for name in sys.modules if name.startswith("garden.flowers")]


def test_those_come_first_whose_files_hold_a_word_and_none_is_imported(garden):
    assert plugins.likeliest("flowers", "glasshouse_x") == ("orchid", "rose", "tulip")
    assert plugins.likeliest("flowers", "height") == ("tulip", "orchid", "rose")
    assert plugins.likeliest("flowers", "said nowhere") == plugins.names("flowers")
    assert not [name for name in sys.modules if name.startswith("garden.flowers")]


def test_a_plug_in_is_found_by_its_name(garden):
    assert plugins.find("flowers", "rose").Config(petals=5).petals == 5


def test_a_misspelt_name_suggests_the_nearest(garden):
    with pytest.raises(UserError, match=r"^unknown flower 'tulp'; did you mean 'tulip'\?$"):
        plugins.find("flowers", "tulp")


def test_a_name_near_to_nothing_lists_what_there_is(garden):
    with pytest.raises(UserError, match="known are orchid, rose, tulip"):
        plugins.find("flowers", "zzz")


@pytest.mark.parametrize("name", ["water", "__init__", "../rose", "rose.Config", ""])
def test_only_plug_ins_can_be_named(garden, name):
    with pytest.raises(UserError, match="unknown flower"):
        plugins.find("flowers", name)


def test_a_missing_optional_package_is_named(garden):
    with pytest.raises(UserError, match="'orchid' needs the package 'glasshouse_x'"):
        plugins.find("flowers", "orchid")


def test_a_room_that_does_not_exist_has_no_plug_ins(garden):
    assert plugins.names("vegetables") == ()


def test_suggestions_ignore_case():
    assert plugins.suggest("GPT", ["bert", "gpt"]) == "; did you mean 'gpt'?"
    assert plugins.suggest("xyz", ["bert", "gpt"]) == ""


def test_the_real_rooms_hold_only_loadable_plug_ins():
    for name in plugins.names("models"):
        assert plugins.find("models", name).Config
