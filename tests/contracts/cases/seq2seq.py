"""Two recurrences with and without attention: every way to begin, to feed and to look."""

from __future__ import annotations

from tests.contracts.case import Case

ONE = {"dim": 16, "vocab_size": 31, "target_vocab_size": 31, "max_length": 20}
TWO = ONE | {"target_vocab_size": 37, "share": "target"}
CONTEXT = {"attention": "none", "bidirectional": False}
FORWARD = {"bidirectional": False, "reverse_source": True}


def _own(name: str, *settings: dict[str, object]) -> Case:
    chosen: dict[str, object] = {}
    for one in settings:
        chosen |= one
    return Case(name, chosen, foreign=False, looks=chosen.get("attention") != "none")


CASES = [
    _own("paper", ONE, {"depth": 2}),
    _own("context", ONE, CONTEXT, {"cell": "lstm", "depth": 2, "reverse_source": True}),
    _own("context-every", ONE, CONTEXT, {"context": "every", "hidden_dim": 12, "output_bias": True}),
    _own("bahdanau", TWO, {"attention": "additive", "looks": "before", "hidden_dim": 12}),
    _own("luong", ONE, FORWARD, {"cell": "lstm", "depth": 2, "input_feeding": True, "window": "predictive"}),
    _own("dot", TWO, FORWARD, {"cell": "rnn", "attention": "dot", "window": "monotonic", "reach": 2}),
    _own("concat", TWO, {"attention": "concat", "cell": "lstm", "share": "none", "context": "every"}),
    _own("sides-differ", ONE, {"cell": "lstm", "depth": 1, "decoder_depth": 2, "looks": "before"}),
    _own("all-fed", TWO, {"depth": 2, "decoder_depth": 1, "looks": "before", "input_feeding": True}),
]
