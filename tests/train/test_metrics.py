import json

import train_toys as toys

from glassformer.train import metrics


def test_metrics_after_the_resumed_step_and_half_lines_are_dropped(tmp_path):
    lines = [{"kind": "train", "step": step} for step in (2, 4, 6)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / metrics.NAME).write_text(text + '{"kind": "tr')
    book = metrics.Metrics(tmp_path, 4)
    book.write("valid", 4, {"loss": float("nan")})
    book.close()
    assert toys.lines(tmp_path) == [*lines[:2], {"kind": "valid", "step": 4, "loss": None}]
