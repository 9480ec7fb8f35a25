"""What a client may be told. Each `detail` is one sentence that can be said aloud."""

from service_base.problems import ServiceError


class NotFound(ServiceError):
    """This account has no such thing."""

    status = 404
    code = "not-found"


class Refusal(ServiceError):
    """The shop cannot do this now."""

    status = 409
    code = "refused"


class RecordsUnavailable(ServiceError):
    """The shop's records cannot be reached right now. Please try again in a moment."""

    status = 503
    code = "records-unavailable"
    retry_after_s = 1
