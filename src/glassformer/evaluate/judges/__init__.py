"""Judges of what a model tells, one file for each kind of answer."""
