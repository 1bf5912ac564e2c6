"""Every figure that Leadloop prints of itself, as a command."""
