"""From a tool's module to a run: options, binding, session, output."""
