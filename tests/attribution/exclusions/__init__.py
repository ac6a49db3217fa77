"""Tests of ghapp/attribution/exclusions."""
