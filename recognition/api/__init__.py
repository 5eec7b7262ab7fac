"""The REST API, version 1: thin views over the plain functions of recognition."""
