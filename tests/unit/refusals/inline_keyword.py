# u32 a
@bpf.inline
def double(x):
    return x + x


def program(a):
    return double(y=a)


# refused:
# inline_keyword.py:8:12: double() has no further parameter 'y'
#   return double(y=a)
#          ^^^^^^^^^^^
