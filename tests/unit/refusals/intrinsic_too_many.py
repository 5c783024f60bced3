def program():
    return bpf.pid(1)


# refused:
# intrinsic_too_many.py:2:12: bpf.pid() takes no arguments, not 1
#   return bpf.pid(1)
#          ^^^^^^^^^^
#   hint: bpf.pid()
