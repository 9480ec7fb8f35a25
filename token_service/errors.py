"""Errors of the token service that a caller's page may see."""

from service_base.problems import ServiceError


class SfuUnavailable(ServiceError):
    """The media server cannot be reached right now. Please try again in a moment."""

    status = 503
    code = "sfu-unavailable"
    retry_after_s = 2
