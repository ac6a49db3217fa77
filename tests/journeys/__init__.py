"""Journeys through the real app: from a webhook to what people see."""
