"""What is being learned: one file per objective."""
