"""Runs models with ONNX Runtime, as files in wheels."""

import importlib.util
from pathlib import Path

import onnxruntime  # type: ignore[import-untyped]

_ERRORS_ONLY = 3

# Nothing about callers or about this machine is sent to anyone.
onnxruntime.disable_telemetry_events()


def session(model: Path, *, threads: int) -> onnxruntime.InferenceSession:
    """A session on *threads* CPU threads. Several threads may use it at the same time."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Threads that spin while they wait take the processor from the other models and processes:
    # with two clauses at the same time they doubled the time of each.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def package_folder(name: str) -> Path:
    """The folder of an installed package, without importing it and all that it imports."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"The package {name} is not installed.")
    return Path(spec.submodule_search_locations[0])
