"""Exclusion rules: one module and one id each. `registry` holds their order."""
