"""What of a change is not counted: one rule, one module, one id. The order is the registry's."""
