"""The filter language: what a reader asks for, before any SQL."""
