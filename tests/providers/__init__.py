"""Recorded answers of model providers, in their own wire formats, for programs that run real SDKs and instrumentations."""
