"""Accounts: the first visit, sign-up, and who is signed in."""
