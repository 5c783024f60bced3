# u32 a
@bpf.inline
def perhaps(x):
    if x:
        return x


def program(a):
    return perhaps(a) + 1


# refused:
# inline_value_sometimes.py:9:12: there is a value on some paths only
#   return perhaps(a) + 1
#          ^^^^^^^^^^
#   hint: give one on every path, or on none
