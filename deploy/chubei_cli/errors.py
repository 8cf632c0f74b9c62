"""The one exception that ends a command with one line and exit code 2."""


class CommandError(Exception):
    """An expected failure of a command. Its text is one line: what is wrong, where, and the remedy."""
