"""How a trained model is bent to a task: one file per way, called by its name in `adapt:` of a recipe."""
