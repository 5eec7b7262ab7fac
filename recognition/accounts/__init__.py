"""Accounts: first visit, sign-up, and the current user."""
