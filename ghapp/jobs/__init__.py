"""One due item, and what each kind of it means."""
