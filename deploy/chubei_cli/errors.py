"""What the command and the parts it starts raise."""


class CommandError(Exception):
    """An expected failure of a command; ends it with exit code 2.

    Its text is one line: what is wrong, where, and the remedy, Chinese first and then English.
    """


class NotReady(Exception):
    """A part of the system does not serve yet; the text says why."""
