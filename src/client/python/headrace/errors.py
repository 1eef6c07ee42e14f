"""What can go wrong, as exceptions. All of them are :class:`Error`; the text says what is wrong and what to do."""

from __future__ import annotations


class Error(RuntimeError):
    """Something went wrong between this trainer and the service."""


class Refused(Error):
    """The service said no: unknown stream, rank taken, other world size, wrong version, other user."""


class ServiceLost(Error):
    """The service is gone: it died or was stopped."""


class Timeout(Error, TimeoutError):
    """Nothing came within the time allowed; the text names what was waited for."""


class Exhausted(Error):
    """This trainer holds every slot of its ring and asked for one more; the text names the held steps."""


class Forked(Error):
    """A stream was used in a forked child of the process that connected."""


class Closed(Error):
    """A stream was used after its end: close(), or the end of its ``with`` block."""


class Invalid(Error, ValueError):
    """A wrong argument, a wrong environment, or a ring that cannot be what the service wrote."""
