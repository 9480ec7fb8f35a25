"""The work after a call: summary, action items, CRM, ticket, webhooks; nothing of it is lost."""
