"""Imported once by the process that calls' processes are forked from: they share what it loads."""

from agent_worker.loading import load_agent
from agent_worker.settings import WorkerSettings
from service_base.settings import load

# The parent has loaded both already: neither fails here.
_settings = load(WorkerSettings)
if not _settings.worker_reload:
    load_agent(_settings.agent).templates.learn()
