"""What each model is: one file per model; the file name is how recipes call it."""
