"""The same verbs from Python that the command line offers."""
