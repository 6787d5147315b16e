"""Parameters are counted without weights: each once, by the arithmetic of its part, whatever the model."""

import math
from importlib.util import find_spec

import pytest
import torch
from tests.contracts.cases import CASES
from tiny_family import write_gpt
from torch import nn

import glassformer as gf
from glassformer.api.counting import Counted, count_parameters, folded, rows_of
from glassformer.api.outline import outline
from glassformer.api.recipe import read_recipe
from glassformer.api.recipes import folder as recipes
from glassformer.base import plugins
from glassformer.base.errors import UserError
from glassformer.nn.recurrent import Recurrence, Recurrent

MODELS = [
    pytest.param(name, case, id=f"{name}-{case.id}")
    for name in plugins.names("models")
    for case in CASES.get(name, [])
]
GPT2 = ("model=gpt", ["model.preset=gpt2", "model.vocab_size=50257"])


@pytest.fixture(scope="module")
def gpt2():
    return count_parameters(*GPT2)


class ManyToOne(nn.Module):
    """The lectures' network: words, a recurrent layer, and one output at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5000, 100)
        self.recurrent = Recurrent(100, 128, "rnn")
        self.output = nn.Linear(128, 1)


def on_meta(name, case):
    module = plugins.find("models", name)
    with torch.device("meta"):
        return module.Model(module.Config(**case.settings))


@pytest.mark.parametrize(("name", "case"), MODELS)
def test_every_formula_is_the_size_of_its_parameter_and_each_is_counted_once(name, case):
    model = on_meta(name, case)
    rows = rows_of(model)
    assert all(math.prod(row.factors) == math.prod(row.shape) for row in rows)
    assert sum(row.parameters for row in rows) == sum(weight.numel() for weight in model.parameters())
    assert {row.name for row in rows if not row.tied} == dict(model.named_parameters()).keys()


def test_the_lectures_network_has_the_lectures_arithmetic():
    rows = {row.name: row for row in rows_of(ManyToOne())}
    assert {name: row.formula for name, row in rows.items()} == {
        "table.weight": "5,000 × 100",
        "recurrent.input.weight": "100 × 128",
        "recurrent.input.bias": "128",
        "recurrent.hidden.weight": "128 × 128",
        "output.weight": "128 × 1",
        "output.bias": "1",
    }
    inner = [row.parameters for row in rows.values() if not row.embedding]
    assert sorted(inner) == sorted([12_800, 16_384, 128, 128, 1])
    assert (sum(inner), sum(row.parameters for row in rows.values())) == (29_441, 529_441)


@pytest.mark.parametrize("length", [8, 64])
def test_the_lectures_network_is_a_recipe_and_its_length_costs_nothing(length, monkeypatch, tmp_path):
    monkeypatch.setenv("GLASSFORMER_DATA", str(tmp_path))
    counted = count_parameters("shapes/many-to-one", [f"data.max_length={length}"])
    assert counted.sums() == [
        "without embeddings: 12,800 + 128 + 16,384 + 128 + 1 = 29,441",
        "with embeddings:    500,000 + 29,441 = 529,441",
    ]


def test_gates_of_a_cell_are_a_factor_of_their_own():
    formulas = {row.name: row.formula for row in rows_of(Recurrence(10, 16, 1, "lstm"))}
    assert formulas["layers.0.input.weight"] == "10 × 4 × 16"
    assert formulas["layers.0.hidden.weight"] == "16 × 4 × 16"
    assert formulas["layers.0.input.bias"] == "4 × 16"
    gru = {row.name: row.formula for row in rows_of(Recurrence(10, 16, 1, "gru"))}
    assert (gru["layers.0.input.bias"], gru["layers.0.candidate"]) == ("3 × 16", "16")


def test_inputs_stand_before_outputs_and_a_table_has_its_rows_first():
    rows = {row.name: row for row in rows_of(on_meta("vit", CASES["vit"][0]))}
    config = plugins.find("models", "vit").Config(**CASES["vit"][0].settings)
    patch, dim = config.patch, config.dim
    assert rows["patches.weight"].factors == (config.channels, patch, patch, dim)
    assert rows["blocks.0.mlp.up.weight"].factors == (dim, config.mlp_dim)
    assert rows["places"].factors[1] == dim
    assert rows["places"].embedding
    assert not rows["patches.weight"].embedding


def test_gpt2_has_the_published_number(gpt2):
    assert (gpt2.parameters, gpt2.embeddings) == (124_439_808, 50_257 * 768 + 1024 * 768)
    tied = gpt2.rows[-1]
    assert (tied.name, tied.formula, tied.parameters) == ("output.weight", "= embedding.table.weight", 0)


def test_a_model_of_seven_billion_is_counted_without_its_weights():
    sizes = ["model.preset=llama-7b", "model.vocab_size=32000"]
    rows = rows_of(outline("model.name=llama", sizes).model)
    assert sum(row.parameters for row in rows) == 6_738_415_616


def test_layers_that_are_alike_are_shown_as_one(gpt2):
    lines = gpt2.table().splitlines()
    (head,) = [line for line in lines if line.startswith("blocks")]
    assert head.split("  ")[0] == "blocks × 12"
    assert head.endswith("85,054,464")
    assert "12 × 7,087,872" in head
    top = [line for line in gpt2.folded if not line.depth]
    assert sum(line.parameters for line in top) == gpt2.parameters
    whole = gpt2.table(layers=True)
    assert "blocks.11.mlp.down.bias" in whole
    assert len(whole.splitlines()) == 2 + len(gpt2.rows)


def test_layers_that_differ_are_shown_apart():
    sizes = ["model.vocab_size=9", "model.depth=2", "model.decoder_depth=1", "model.dim=8"]
    names = [line.name for line in count_parameters("model=transformer", sizes).folded]
    assert "encoder × 2" in names
    assert "decoder.0.cross.q.weight" in names
    # The lowest layer reads other vectors than the two above it.
    names = [line.name for line in folded(Recurrence(4, 8, 3, "gru"))]
    assert "layers.0.input.weight" in names
    assert "layers.1-2 × 2" in names


def test_sums_are_written_out_where_they_have_few_terms(gpt2):
    embeddings = gpt2.sums()
    assert embeddings[0] == "without embeddings: 85,056,000"
    assert embeddings[1] == "with embeddings:    38,597,376 + 786,432 + 85,056,000 = 124,439,808"


def test_what_does_not_learn_is_counted_and_said(gpt2):
    part = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    part[0].requires_grad_(False)
    rows = rows_of(part)
    assert [row.learns for row in rows] == [False, False, True, True]
    assert Counted("x", rows, (), (), gpt2.memory).sums()[-1] == "learned: 10 (38.5 %), frozen: 16"


TRAINED = [  # tasks and comparisons are no recipes of one model
    path
    for path in sorted(recipes().rglob("*.yaml"))
    if path.parent.name != "tasks" and not path.stem.startswith("compare")
]


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_every_recipe_can_be_counted(path, monkeypatch, tmp_path):
    monkeypatch.setenv("GLASSFORMER_DATA", str(tmp_path))  # its data need not be there
    _, package, name = str(read_recipe(path).init).partition("package:")
    if package and find_spec(name) is None:
        pytest.skip(f"{name}, from which the recipe goes on, is not installed")
    rows = rows_of(outline(path).model)
    assert sum(row.parameters for row in rows) > 0
    assert all(math.prod(row.factors) == math.prod(row.shape) for row in rows)


def test_a_folder_is_counted_and_none_of_its_weights_is_read(tmp_path):
    folder = write_gpt(tmp_path / "model")
    model = gf.load(folder).model
    counted = count_parameters(folder)
    assert counted.parameters == sum(weight.numel() for weight in model.parameters())
    # Zeros in the place of every weight would be refused as damaged if they were looked at.
    weights = folder / "model.safetensors"
    size = weights.stat().st_size
    head = weights.read_bytes()[: size // 2]
    weights.write_bytes(head + b"\xff" * (size - len(head)))
    assert count_parameters(folder).parameters == counted.parameters


def test_the_result_for_machines_is_whole(gpt2):
    told = gpt2.as_json()
    assert told["parameters"] == told["embeddings"] + told["without_embeddings"] == 124_439_808
    assert told["rows"][-1]["tied_to"] == "embedding.table.weight"
    assert told["memory"]["training"]["total"] > 16 * told["parameters"]


@pytest.mark.parametrize(
    ("what", "settings", "said"),
    [
        ("model=gpt", [], r"set it, as in model\.vocab_size=32000"),
        ("model=gpd", [], "did you mean 'gpt'"),
        ("model=gpt", ["model.dimm=4"], "did you mean 'dim'"),
        ("no-such-recipe", [], "no such recipe file"),
        ("optim.lr=1", [], "model"),
    ],
)
def test_what_cannot_be_counted_is_said_in_a_sentence(what, settings, said):
    with pytest.raises(UserError, match=said) as error:
        count_parameters(what, settings)
    assert "\n" not in str(error.value)


# --- adapted models ----------------------------------------------------------------------------------------


def _adapted(folder, adapt):
    path = folder / "recipe.yaml"
    path.write_text(
        f"init: {write_gpt(folder / 'base')}\nadapt: {adapt}\nobjective: {{name: classification}}\n"
        "data: {name: labelled, train: none.tsv, max_length: 16}\ntrain: {steps: 1}\n",
        "utf-8",
    )
    return path


WAYS = {
    "probe": 0,
    "{name: lora, rank: 2}": 2 * (4 * (16 + 16) * 2 + 2 * (16 + 64) * 2),
    "{name: prompt, tokens: 3}": 3 * 16,
    "{name: prompt, tokens: 3, init: random}": 3 * 16,
    '{name: prompt, tokens: 3, init: text, text: "the cat"}': 3 * 16,
    "{name: prefix, tokens: 3}": 3 * 2 * 2 * 16,
}
"""What each puts into a GPT of two layers that is 16 wide."""


@pytest.mark.parametrize("adapt", WAYS)
def test_an_adapted_recipe_counts_what_learns_and_what_stays(tmp_path, adapt):
    counted = count_parameters(_adapted(tmp_path, adapt))
    frozen = count_parameters(tmp_path / "base").parameters
    head = 2 * 16
    assert counted.learned == WAYS[adapt] + head
    assert counted.parameters - counted.learned == frozen
    told = counted.as_json()
    assert told["frozen"] == frozen
    assert sum(row["parameters"] for row in told["rows"] if row["learns"]) == counted.learned
    share = 100 * counted.learned / counted.parameters
    assert counted.sums()[-1] == f"learned: {counted.learned:,} ({share:.3g} %), frozen: {frozen:,}"
    assert counted.table().splitlines()[0].endswith("learns")
    assert counted.memory.training["frozen"] in (4 * frozen, 6 * frozen)


def test_every_layer_says_its_share(tmp_path):
    path = _adapted(tmp_path, "{name: lora, rank: 2, targets: [attention.q]}")
    lines = {
        line.split()[0]: line.split("  ")[-1].strip() for line in count_parameters(path).table().splitlines()
    }
    learned, whole = 2 * (16 + 16), 3280 + 2 * (16 + 16)
    assert lines["body.blocks"] == f"{100 * learned / whole:.3g} %"
    assert (lines["attention.q.weight"], lines["attention.q.lora_A.weight"]) == ("0 %", "100 %")
    assert (lines["body.embedding.table.weight"], lines["classifier.weight"]) == ("0 %", "100 %")


def test_a_layer_that_alone_is_bent_stands_alone_with_its_share(tmp_path):
    path = _adapted(tmp_path, "{name: lora, rank: 2, targets: [blocks.1.attention.q]}")
    heads = {line.name: (line.parameters, line.learned) for line in count_parameters(path).folded}
    assert heads["body.blocks.1"] == (3280 + 64, 64)
    assert heads["body.blocks.0.attention.q.weight"] == (256, 0)


def test_the_matrix_beside_an_update_is_no_table(tmp_path):
    counted = count_parameters(_adapted(tmp_path, "lora"))
    assert counted.embeddings == count_parameters(tmp_path / "base").embeddings


def test_an_adapter_folder_is_counted_with_its_base(tmp_path):
    path = _adapted(tmp_path, "{name: lora, rank: 2}")
    (tmp_path / "some.tsv").write_text("text\tlabel\nthe cat\t0\na cat sleeps\t1\n", "utf-8")
    figures = gf.train(path, [f"data.train={tmp_path / 'some.tsv'}"], output=tmp_path / "run")
    counted = count_parameters(tmp_path / "run")
    assert counted.learned == figures["trained_parameters"] == count_parameters(path).learned
    assert counted.parameters == figures["parameters"] == count_parameters(path).parameters
