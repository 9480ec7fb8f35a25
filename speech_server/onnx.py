"""How models are run."""

from pathlib import Path

import onnxruntime  # type: ignore[import-untyped]

_ERRORS_ONLY = 3

# What callers say stays here, and so do the facts about this machine.
onnxruntime.disable_telemetry_events()


def session(model: Path, *, threads: int) -> onnxruntime.InferenceSession:
    """A session on *threads* CPU threads. It may be used by several threads of ours at once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Threads that spin while they wait take the processor from the other models and processes:
    # with two clauses at once they doubled the time of each.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
