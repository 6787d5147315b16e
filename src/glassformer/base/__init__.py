"""The ground every room stands on: settings, plug-ins, safe files, words to the user."""
