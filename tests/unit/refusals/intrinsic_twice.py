# u32 a
def program(a):
    return bpf.log2(a, value=a)


# refused:
# intrinsic_twice.py:3:12: bpf.log2() is given value twice
#   return bpf.log2(a, value=a)
#          ^^^^^^^^^^^^^^^^^^^^
#   hint: bpf.log2(value)
