"""Starts and prepares Mien on one machine, and the configurations of other deployments."""
