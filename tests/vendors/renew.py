"""Cuts the shapes of Anthropic's answers out of its package's types; run by hand.

    python tests/vendors/renew.py

It needs an environment with ``anthropic==2.14.0``, which is no dependency of the app. It writes
``anthropic.json``, without the descriptions, and the license's text beside it.
"""

import importlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PACKAGE = "anthropic"
TYPES = "anthropic.types.beta.organization"
SHAPES = {
    "cost": ("analytics.beta_analytics_cost_item", "BetaAnalyticsCostItem"),
    "usage": ("analytics.beta_analytics_usage_item", "BetaAnalyticsUsageItem"),
    "users": ("beta_analytics_user_activity", "BetaAnalyticsUserActivity"),
}
DROPPED = {"description", "title", "default"}


def main() -> None:
    """Write the shapes and the license."""
    shapes = {
        name: _stripped(
            getattr(importlib.import_module(f"{TYPES}.{module}"), kind).model_json_schema()
        )
        for name, (module, kind) in SHAPES.items()
    }
    text = json.dumps(shapes, sort_keys=True, indent=1)
    (HERE / "anthropic.json").write_text(text + "\n", encoding="utf-8")
    version = metadata.version(PACKAGE)
    notice = f"anthropic.json is cut from the types of {PACKAGE} {version}, under this license:\n\n"
    license_text = metadata.distribution(PACKAGE).read_text("licenses/LICENSE")
    (HERE / "LICENSE").write_text(notice + str(license_text), encoding="utf-8")


def _stripped(value: Any, *, names: bool = False) -> Any:
    """Remove what validates nothing; the members of ``properties`` are names, not keywords."""
    if isinstance(value, list):
        return [_stripped(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _stripped(item, names=name in {"properties", "$defs"} and not names)
        for name, item in value.items()
        if names or name not in DROPPED
    }


if __name__ == "__main__":
    main()
