# u32 a
@bpf.inline
def nothing(x):
    counts.increment(x)


def program(a):
    return nothing(a) + 1


# refused:
# inline_without_value.py:8:12: a number is needed here, not None
#   return nothing(a) + 1
#          ^^^^^^^^^^
