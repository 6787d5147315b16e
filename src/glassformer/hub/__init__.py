"""How models are exchanged with the world: the model folder."""
