"""Imported once by the process that calls' processes are forked from: they share what it loads."""

from agent_worker.loading import load_agent
from agent_worker.settings import WorkerSettings
from service_base.settings import load

# The parent has loaded both already: neither fails here.
load_agent(load(WorkerSettings).agent).templates.learn()
