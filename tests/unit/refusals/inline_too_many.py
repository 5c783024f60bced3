# u32 a
@bpf.inline
def double(x):
    return x + x


def program(a):
    return double(a, a)


# refused:
# inline_too_many.py:8:12: double() takes 1 argument, not 2
#   return double(a, a)
#          ^^^^^^^^^^^^
