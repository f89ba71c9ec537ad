"""Which releases Git asks for, what serves until then, and what of a template may reach the cluster."""
