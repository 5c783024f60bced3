"""skep: a BPF compiler collection in pure Python."""
