"""What each agent's telemetry means, one module for each agent. It decodes nothing."""
