"""Which of the shop's customers a caller is."""

from voice_contract.tokens import ANONYMOUS_PREFIX


def customer_id(identity: str, tenant: str | None) -> str:
    """
    The shop's id for a caller, customer or not: here it is the name that the caller signed in with.

    Names have no `#` in them, so callers of two tenants never share one.
    """
    return f"{tenant}#{identity}" if tenant else identity


def customer_headers(identity: str, tenant: str | None) -> dict[str, str]:
    """The header that names the customer to the shop; none of a caller who did not sign in."""
    if identity.startswith(ANONYMOUS_PREFIX):
        return {}
    return {"X-Customer-Id": customer_id(identity, tenant)}
