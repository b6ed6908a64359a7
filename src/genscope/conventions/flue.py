"""Flue's agents, `flue.*`; their calls to a model speak `gen_ai.*` as well.

An operation repeats the tokens of its turns in `flue.operation.usage.*`, which is therefore not read.

Source: the spans that @flue/opentelemetry makes of Flue's events.
"""

from genscope.conventions.decode import content, present
from genscope.conventions.table import Table
from genscope.pricing import cost

TABLE: Table = {
    "type": {
        "flue.tool.name": present("tool"),
        "flue.tool.call_id": present("tool"),
        "flue.task.agent": present("agent"),
        "flue.task.prompt": present("agent"),
        "flue.task.result": present("agent"),
    },
    "cost": {"gen_ai.usage.cost_total": cost.from_total},
    "input": {
        "flue.turn.input": content,
        "flue.tool.arguments": content,
        "flue.task.prompt": content,
        "flue.workflow.payload": content,
    },
    "output": {
        "flue.turn.output": content,
        "flue.tool.result": content,
        "flue.task.result": content,
        "flue.operation.result": content,
        "flue.workflow.result": content,
    },
}
