"""How writing becomes numbers and back."""
