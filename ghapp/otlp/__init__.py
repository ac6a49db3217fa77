"""OTLP over HTTP: the bytes of a telemetry request become usage. It opens and stores nothing."""
