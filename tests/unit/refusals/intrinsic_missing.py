def program():
    return bpf.log2()


# refused:
# intrinsic_missing.py:2:12: bpf.log2() needs value
#   return bpf.log2()
#          ^^^^^^^^^^
#   hint: bpf.log2(value)
