"""MLflow's tracing, as its OpenTelemetry export sends it."""

from genscope.conventions.decode import content
from genscope.conventions.table import Table
from genscope.conventions.tools import listed

TABLE: Table = {
    "tool_names": {"mlflow.chat.tools": listed},
    "input": {"mlflow.spanInputs": content},
    "output": {"mlflow.spanOutputs": content},
}
