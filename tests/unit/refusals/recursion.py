# u32 a
@bpf.inline
def again(x):
    return again(x)


def program(a):
    return again(a)


# refused:
# recursion.py:4:12: again() calls itself
#   return again(x)
#          ^^^^^^^^
