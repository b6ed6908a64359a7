"""What type checkers shall find: a mistake in each line that says so, and in no other."""

import genscope

client = genscope.get_client()


@genscope.observe(as_type="tool")
def search(query: str) -> list[str]:
    return [query]


@genscope.observe(as_type="robot")  # wrong
def robot() -> None: ...


search(1)  # wrong
search("refund").upper()  # wrong
genscope.init(urll="http://127.0.0.1:4318")  # wrong
genscope.init(sample_rate="often")  # wrong
genscope.init(instrument=3)  # wrong
client.start_as_current_generation(name="draft-reply", modell="gpt-4o")  # wrong
with client.start_as_current_generation(name="draft-reply", model="gpt-4o") as gen:
    gen.update(level="FATAL")  # wrong
    gen.update(usage_details=12)  # wrong
    gen.finish()  # wrong
client.start_span(name="a", input={"any": object()}).update(tags=["a"])  # wrong
client.update_current_trace(tags=3)  # wrong
client.create_score("helpful")  # wrong
with genscope.propagate(user="alice"):  # wrong
    pass
trace = genscope.Logger().trace({"id": "t", "colour": "red"})  # wrong
trace.generation({"model": 4})  # wrong
trace.speak("hello")  # wrong
rows = client.query("model:gpt-4o", since=3)  # wrong
print(rows[0].costs)  # wrong
client.trace()  # wrong
client.models(since="7d").rows[0].calls.upper()  # wrong
