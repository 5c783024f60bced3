# u64 a
def program(a):
    return bpf.cast(a, 'struct *').x


# refused:
# malformed_type.py:3:12: "struct *" is not a C type
#   return bpf.cast(a, 'struct *').x
#          ^^^^^^^^^^^^^^^^^^^^^^^
