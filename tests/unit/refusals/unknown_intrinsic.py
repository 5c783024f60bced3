def program():
    return bpf.ktime()


# refused:
# unknown_intrinsic.py:2:12: there is no bpf.ktime()
#   return bpf.ktime()
#          ^^^^^^^^^^^
#   hint: did you mean bpf.ktime_ns()?
