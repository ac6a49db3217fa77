"""Attribution Auditor: the package and its version, nothing that runs on import."""

__version__ = "1.0.0"
