"""Errors of the token service that a caller's page may see."""

from service_base.problems import ServiceError


class SfuUnavailable(ServiceError):
    """The media server cannot be reached right now. Please try again in a moment."""

    status = 503
    code = "sfu-unavailable"
    retry_after_s = 2


class RecordUnavailable(ServiceError):
    """Calls cannot be taken right now. Please try again in a moment."""

    status = 503
    code = "record-unavailable"
    retry_after_s = 2


class AgentsBusy(ServiceError):
    """All agents are in calls right now. Please try again in a moment."""

    status = 503
    code = "agents-busy"
    retry_after_s = 5


class CallOver(ServiceError):
    """This call has ended."""

    status = 410
    code = "call-ended"


class CallNotFound(ServiceError):
    """There is no such call of yours."""

    status = 404
    code = "call-not-found"
