# u64 a, s64 b
def program(a, b):
    return a < b


# refused:
# mixed_signs_order.py:3:12: '<' mixes u64 and s64
#   return a < b
#          ^^^^^
#   hint: say which is meant: bpf.s64(...) or bpf.u64(...) around one side
