"""The parts every model is made of."""
