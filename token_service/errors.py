"""Errors of the token service. The docstring is the text that callers see."""

from collections.abc import Mapping
from typing import ClassVar

from call_record.queue import SOON
from service_base.problems import ServiceError
from voice_contract.limits import GRACE_S


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


class Busy(ServiceError):
    """
    There is no slot yet. Please try again in a moment.

    Who asks again in time keeps the position in the queue. Args: position: from 1; None: unknown.
    """

    status = 503

    def __init__(self, *, position: int | None = None) -> None:
        # Those who are next soon ask more often, so that a slot is not left waiting for them.
        super().__init__(retry_after_s=2 if position is not None and position <= SOON else 5)
        if position is not None:
            self.members = {"position": position}


class AgentsBusy(Busy):
    """All agents are in calls right now. Please try again in a moment."""

    code = "agents-busy"


class ServiceBusy(Busy):
    """We cannot take more calls right now. Please try again in a moment."""

    code = "service-busy"


class NetworkBusy(ServiceError):
    """Many calls come from your network right now. Please try again in a moment."""

    status = 429
    code = "network-busy"
    retry_after_s = 10


class TenantLimit(ServiceError):
    """Your organization is in as many calls as it may be. Please try again in a moment."""

    status = 429
    code = "tenant-limit"
    retry_after_s = 10


class TooManyCalls(ServiceError):
    """You are already in another call. Please end it first."""

    status = 429
    code = "too-many-calls"
    # A call that was left without hanging up has ended by then.
    retry_after_s = GRACE_S


class DailyLimit(ServiceError):
    """You have used up today's minutes. Please call again tomorrow."""

    status = 429
    code = "daily-limit"


class RateLimited(ServiceError):
    """Too many requests. Please wait a moment."""

    status = 429
    code = "rate-limited"

    def __init__(self, *, retry_after_s: int, headers_of_limit: dict[str, str]) -> None:
        super().__init__(retry_after_s=retry_after_s)
        self.headers_of_limit = headers_of_limit


class SignInRequired(ServiceError):
    """Please sign in to call."""

    status = 401
    code = "sign-in-required"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class SignInUnavailable(ServiceError):
    """Your sign-in cannot be checked right now. Please try again in a moment."""

    status = 503
    code = "sign-in-unavailable"
    retry_after_s = 10


class NotAllowed(ServiceError):
    """You are not allowed to call from here."""

    status = 403
    code = "not-allowed"


class CaptchaRequired(ServiceError):
    """Please show first that you are a person."""

    status = 403
    code = "captcha-required"


class CaptchaUnavailable(ServiceError):
    """It cannot be checked right now whether you are a person. Please try again in a moment."""

    status = 503
    code = "captcha-unavailable"
    retry_after_s = 5


class CallOver(ServiceError):
    """This call has ended."""

    status = 410
    code = "call-ended"


class CallNotFound(ServiceError):
    """You have no such call."""

    status = 404
    code = "call-not-found"
