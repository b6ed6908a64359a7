"""Google's Gen AI SDK under the instrumentation that the first argument names."""

import sys

import shop


def answer(client) -> None:
    from google.genai import types

    function = types.FunctionDeclaration(
        name=shop.TOOL["name"],
        description=shop.TOOL["description"],
        parameters_json_schema=shop.TOOL["parameters"],
    )
    config = types.GenerateContentConfig(
        system_instruction=shop.SYSTEM,
        tools=[types.Tool(function_declarations=[function])],
        temperature=0.5,
    )
    contents = [types.Content(role="user", parts=[types.Part(text=shop.QUESTION)])]
    while True:
        said = (said_in_pieces if shop.STREAMED else said_at_once)(client, contents, config)
        contents.append(said)
        calls = [part.function_call for part in said.parts if part.function_call]
        if not calls:
            return
        results = [
            types.Part.from_function_response(name=call.name, response={"result": shop.get_order(**call.args)})
            for call in calls
        ]
        contents.append(types.Content(role="user", parts=results))


def said_at_once(client, contents, config):
    response = client.models.generate_content(model=shop.MODEL, contents=contents, config=config)
    return response.candidates[0].content


def said_in_pieces(client, contents, config):
    from google.genai import types

    chunks = client.models.generate_content_stream(model=shop.MODEL, contents=contents, config=config)
    return types.Content(role="model", parts=[part for chunk in chunks for part in chunk.candidates[0].content.parts])


def main(instrumentation: str) -> None:
    provider = shop.opentelemetry()
    if instrumentation == "openinference":
        from openinference.instrumentation.google_genai import GoogleGenAIInstrumentor as Instrumentor
    elif instrumentation == "openllmetry":
        from opentelemetry.instrumentation.google_generativeai import GoogleGenerativeAiInstrumentor as Instrumentor
    else:
        from opentelemetry.instrumentation.google_genai import GoogleGenAiSdkInstrumentor as Instrumentor
    Instrumentor().instrument(tracer_provider=provider)
    from google import genai

    for _ in shop.tickets(provider):
        answer(genai.Client(http_options={"base_url": shop.PROVIDER_URL}))


main(sys.argv[1])
