@bpf.inline
def double(x):
    return x + x


def program():
    return double()


# refused:
# inline_missing.py:7:12: double() needs x
#   return double()
#          ^^^^^^^^
