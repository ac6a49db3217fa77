"""The tests of every room; a case is a folder below fixtures, found by `cases`."""
