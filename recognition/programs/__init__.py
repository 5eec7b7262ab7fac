"""What programs use: API keys, webhooks and repeated requests."""
