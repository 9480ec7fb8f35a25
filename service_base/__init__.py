"""What every process of Parley has: settings, logs, metrics, health, problem answers."""
