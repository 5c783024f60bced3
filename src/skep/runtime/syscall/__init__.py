"""System calls without a wrapper in the standard library."""
