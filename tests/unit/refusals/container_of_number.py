# u64 a
def program(a):
    return bpf.container_of(a, 'u32', 'x').pid


# refused:
# container_of_number.py:3:12: 'u32' is no structure
#   return bpf.container_of(a, 'u32', 'x').pid
#          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
