# u32 a
def program(a):
    k = keys.lookup(a)
    if k:
        bpf.atomic_add(k, 'flags', 1)


# refused:
# atomic_add_to_byte.py:5:9: Key * has no number 'flags' to add to
#   bpf.atomic_add(k, 'flags', 1)
#   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
