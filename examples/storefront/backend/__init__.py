"""The shop: customers, orders, refunds, appointments, over HTTP."""
