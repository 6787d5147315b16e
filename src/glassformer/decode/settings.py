"""What a user may ask of decoding: beams or sampling, lengths, and what is forbidden."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from glassformer.base.config import Settings


class Decoding(Settings):
    """How the next token is chosen; the names are those of Hugging Face where they mean the same.

    The defaults are the paper's beam search: four beams and length penalty 0.6 (Vaswani et al. 2017, §6.1).

    * ``length_penalty_form``: a hypothesis of ``n`` tokens (the end token counted) is ranked by its summed
      log-probability divided by ``((5 + n) / 6) ** length_penalty`` for ``gnmt`` (Wu et al. 2016, eq. 14)
      or by ``n ** length_penalty`` for ``power``, which is what ``generate`` does.
    * ``early_stopping``: when a sentence with all its beams finished may leave. ``never`` waits until no
      running beam can still win, whatever its length will be; ``false`` compares the best running beam as
      if it ended now; ``true`` waits for nothing. With one beam the first finished hypothesis is the answer
      (greedy search).
    * ``num_return_sequences``: the length of the n-best list, or the number of samples.
    * ``max_new_tokens``, ``min_new_tokens``: bounds on the tokens of a hypothesis, a forced beginning
      included; the end token counts towards the upper bound and may not come before ``min_new_tokens``
      others.
    * ``no_repeat_ngram_size``: no run of so many tokens occurs twice in a hypothesis, its prompt included; 0
      allows everything.
    * ``repetition_penalty``: above 1, what was written or prompted before becomes less likely (Keskar et al.
      2019, §4.1); 1 changes nothing.
    * ``suppress_tokens``: ids that are never written.
    * ``do_sample``: draw from ``softmax(scores / temperature)``, narrowed to the ``top_k`` likeliest tokens
      (0: all) and then to the fewest that hold ``top_p`` of the probability (Holtzman et al. 2020). Beams
      are not used.
    * ``seed``: the only source of chance.
    * ``stop_strings``: a generated text ends before the first of these.
    * ``cache``: whether the memory of what was read grows as needed or is sized at once and written in place.
    """

    num_beams: int = Field(default=4, ge=1)
    num_return_sequences: int = Field(default=1, ge=1)
    length_penalty: float = Field(default=0.6, allow_inf_nan=False)
    length_penalty_form: Literal["gnmt", "power"] = "gnmt"
    early_stopping: bool | Literal["never"] = "never"
    max_new_tokens: int | None = Field(default=None, ge=1)
    min_new_tokens: int = Field(default=0, ge=0)
    no_repeat_ngram_size: int = Field(default=0, ge=0)
    repetition_penalty: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)
    suppress_tokens: tuple[int, ...] = ()
    do_sample: bool = False
    temperature: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)
    top_k: int = Field(default=0, ge=0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    seed: int = Field(default=1, ge=0)
    stop_strings: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    cache: Literal["growing", "fixed"] = "growing"

    @model_validator(mode="after")
    def _the_list_fits_the_beam(self) -> Decoding:
        if not self.do_sample and self.num_return_sequences > self.num_beams:
            raise ValueError(
                f"num_return_sequences ({self.num_return_sequences}) is larger than num_beams "
                f"({self.num_beams}); raise num_beams"
            )
        return self
