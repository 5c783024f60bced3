# u32 a
def program(a):
    return bpf.log2(number=a)


# refused:
# intrinsic_keyword.py:3:12: bpf.log2() has no parameter 'number'
#   return bpf.log2(number=a)
#          ^^^^^^^^^^^^^^^^^^
#   hint: bpf.log2(value)
