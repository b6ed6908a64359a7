"""A language model small enough to live in a test: it needs no network and always says the same."""

from time import sleep
from types import SimpleNamespace

messages = [
    {"role": "system", "content": "You answer customers of a bookshop."},
    {"role": "user", "content": "Where is my order 4711? Grüße 📦"},
]


def call_model(messages):
    """Answer any messages after ten milliseconds."""
    sleep(0.01)
    return SimpleNamespace(
        text="It left our warehouse this morning.",
        usage=SimpleNamespace(input_tokens=1000, output_tokens=50),
    )


def call_overloaded_model(messages):
    """Fail as a provider does that has too much to do."""
    sleep(0.01)
    raise RuntimeError("Error code: 529 - overloaded")
