"""Rotary positions in a ``config.json``: where transformers 5 writes them, and where older versions did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glassformer.base.errors import UserError
from glassformer.nn.rotary import USED, Scaling

# Our field of a scaling and its key in a file.
KEYS = {
    "kind": "rope_type",
    "factor": "factor",
    "original_length": "original_max_position_embeddings",
    "low_factor": "low_freq_factor",
    "high_factor": "high_freq_factor",
    "beta_fast": "beta_fast",
    "beta_slow": "beta_slow",
    "attention_factor": "attention_factor",
    "mscale": "mscale",
    "mscale_all_dim": "mscale_all_dim",
    "truncate": "truncate",
}


def write(theta: float, scaling: Scaling, max_length: int) -> dict[str, Any]:
    """The keys of theta and scaling, as every version of transformers reads them."""
    if scaling.kind == "none":
        rope: dict[str, Any] = {"rope_type": "default"}
    else:
        used = ["kind", *(name for name in KEYS if name in USED[scaling.kind])]
        rope = {KEYS[name]: getattr(scaling, name) for name in used}
        if "original_length" in used:
            rope[KEYS["original_length"]] = scaling.original_length or max_length
        rope = {key: value for key, value in rope.items() if value is not None}
    older = None if scaling.kind == "none" else rope
    return {"rope_theta": theta, "rope_scaling": older, "rope_parameters": rope | {"rope_theta": theta}}


def read(said: Mapping[str, Any]) -> tuple[float, Scaling]:
    """Theta and scaling. Raises UserError, naming the key, for a form that is not known here."""
    key = "rope_scaling" if said.get("rope_scaling") else "rope_parameters"
    rope = said.get(key) or {}
    theta = rope.get("rope_theta") or said.get("rope_theta") or 10000.0
    kind = rope.get("rope_type") or rope.get("type") or "default"
    _refuse(key, kind, rope, said)
    kind = "none" if kind == "default" else kind
    return theta, Scaling(kind=kind, **_values(kind, rope, said))


def _refuse(key: str, kind: str, rope: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    if any(isinstance(value, dict) for value in rope.values()):
        raise UserError(f"config.json: {key} differs from layer to layer; here all layers have the same")
    known = ["default", *(one for one in USED if one != "none")]
    if kind not in known:
        raise UserError(
            f"config.json: {key} asks for rope_type {kind!r}, which is not known here; "
            f"known are {', '.join(known)}"
        )
    for place in (rope, said):
        if place.get("partial_rotary_factor") not in (None, 1.0):
            raise UserError(
                "config.json: partial_rotary_factor turns a part of each head; here the whole head is turned"
            )


def _values(kind: str, rope: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    used = {name: key for name, key in KEYS.items() if name in USED[kind]}
    found = {name: rope[key] for name, key in used.items() if rope.get(key) is not None}
    if "original_length" in used:
        length = said["max_position_embeddings"]
        first = said.get(KEYS["original_length"]) or found.get("original_length") or length
        found["original_length"] = first
        if kind == "yarn" and "factor" not in found:
            found["factor"] = length / first
    for name in ("factor", "low_factor", "high_factor"):
        if name in used and name not in found:
            raise UserError(f"config.json: rope_type {kind} needs {used[name]}, which is missing")
    return found
