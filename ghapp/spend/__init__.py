"""Spend: what agents cost, by list, contract or bill. It opens nothing but its price table."""
