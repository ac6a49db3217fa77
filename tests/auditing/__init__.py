"""Tests of replays, exports and recomputation."""
