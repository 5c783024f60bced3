"""Tools on other hosts: skep packs itself, goes there by ssh, and merges the output."""
