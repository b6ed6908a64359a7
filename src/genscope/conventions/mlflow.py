"""MLflow's tracing, as its OpenTelemetry export sends it."""

from genscope.conventions.decode import content
from genscope.conventions.table import Table

TABLE: Table = {
    "input": {"mlflow.spanInputs": content},
    "output": {"mlflow.spanOutputs": content},
}
