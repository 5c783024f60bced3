# u64 a
def program(a):
    return bpf.cast(a, 'struct no_such *').x


# refused:
# unknown_type.py:3:12: this kernel has no type 'struct no_such *'
#   return bpf.cast(a, 'struct no_such *').x
#          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
