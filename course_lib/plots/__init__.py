"""Pictures: `style` and `charts` for all, and a module per lesson."""
