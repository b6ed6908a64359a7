"""AWS's SDK under the instrumentation that the first argument names; the second is the API of Bedrock: converse or invoke."""

import json
import sys

import shop


class Converse:
    """The API with one shape for all models."""

    def __init__(self) -> None:
        content = [{"text": shop.QUESTION}]
        self.messages = [{"role": "user", "content": content}]

    def say(self, client) -> list[dict]:
        """Return the tools that the model asks for."""
        function = {
            "name": shop.TOOL["name"],
            "description": shop.TOOL["description"],
            "inputSchema": {"json": shop.TOOL["parameters"]},
        }
        asked = {
            "modelId": shop.MODEL,
            "system": [{"text": shop.SYSTEM}],
            "messages": self.messages,
            "toolConfig": {"tools": [{"toolSpec": function}]},
            "inferenceConfig": {"maxTokens": 500},
        }
        if shop.STREAMED:
            content = self.gathered(client.converse_stream(**asked)["stream"])
        else:
            content = client.converse(**asked)["output"]["message"]["content"]
        self.messages.append({"role": "assistant", "content": content})
        return [block["toolUse"] for block in content if "toolUse" in block]

    def gathered(self, stream) -> list[dict]:
        blocks, arguments = [], ""
        for event in stream:
            if "contentBlockStart" in event:
                blocks.append(event["contentBlockStart"]["start"])
            elif "contentBlockDelta" in event:
                delta = event["contentBlockDelta"]["delta"]
                if "toolUse" in delta:
                    arguments += delta["toolUse"]["input"]
                elif blocks:
                    blocks[0]["text"] += delta["text"]
                else:
                    blocks.append({"text": delta["text"]})
        if arguments:
            blocks[0]["toolUse"]["input"] = json.loads(arguments)
        return blocks

    def add(self, use: dict, result: str) -> None:
        """Tell the model what a tool returned."""
        told = {"toolUseId": use["toolUseId"], "content": [{"text": result}]}
        self.messages.append({"role": "user", "content": [{"toolResult": told}]})


class Invoke:
    """The API with the shape of each model's maker, here Anthropic."""

    def __init__(self) -> None:
        self.messages = [{"role": "user", "content": shop.QUESTION}]

    def say(self, client) -> list[dict]:
        """Return the tools that the model asks for."""
        function = {
            "name": shop.TOOL["name"],
            "description": shop.TOOL["description"],
            "input_schema": shop.TOOL["parameters"],
        }
        body = {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 500,
            "system": shop.SYSTEM,
            "messages": self.messages,
            "tools": [function],
        }
        asked = {"modelId": shop.MODEL, "body": json.dumps(body)}
        if shop.STREAMED:
            content = self.gathered(client.invoke_model_with_response_stream(**asked)["body"])
        else:
            content = json.loads(client.invoke_model(**asked)["body"].read())["content"]
        self.messages.append({"role": "assistant", "content": content})
        return [block for block in content if block["type"] == "tool_use"]

    def gathered(self, stream) -> list[dict]:
        blocks, arguments = [], ""
        for event in stream:
            told = json.loads(event["chunk"]["bytes"])
            if told["type"] == "content_block_start":
                blocks.append(told["content_block"])
            elif told["type"] == "content_block_delta":
                arguments += told["delta"].get("partial_json", "")
                if "text" in told["delta"]:
                    blocks[-1]["text"] += told["delta"]["text"]
        if arguments:
            blocks[-1]["input"] = json.loads(arguments)
        return blocks

    def add(self, use: dict, result: str) -> None:
        """Tell the model what a tool returned."""
        told = {"type": "tool_result", "tool_use_id": use["id"], "content": result}
        self.messages.append({"role": "user", "content": [told]})


APIS = {"converse": Converse, "invoke": Invoke}


def main(instrumentation: str, api: str) -> None:
    provider = shop.opentelemetry()
    if instrumentation == "openinference":
        from openinference.instrumentation.bedrock import BedrockInstrumentor as Instrumentor
    elif instrumentation == "openllmetry":
        from opentelemetry.instrumentation.bedrock import BedrockInstrumentor as Instrumentor
    else:
        from opentelemetry.instrumentation.botocore import BotocoreInstrumentor as Instrumentor
    Instrumentor().instrument(tracer_provider=provider)
    import boto3

    # Any credentials sign a request, and nobody here checks the signature.
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=shop.PROVIDER_URL,
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    for _ in shop.tickets(provider):
        talk = APIS[api]()
        while uses := talk.say(client):
            for use in uses:
                talk.add(use, shop.get_order(**use["input"]))


main(*sys.argv[1:])
