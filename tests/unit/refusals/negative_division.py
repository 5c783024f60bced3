# u32 a
def program(a):
    return a // -2


# refused:
# negative_division.py:3:12: '//' mixes u32 and the negative number -2
#   return a // -2
#          ^^^^^^^
#   hint: bpf.s64(...) around the other side gives it a sign
