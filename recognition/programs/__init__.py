"""For programs: API keys, webhooks and idempotent requests."""
