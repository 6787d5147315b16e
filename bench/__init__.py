"""Glassformer against its peers and against the limits of the machine, on the same work."""
