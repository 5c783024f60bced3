# u32 a
def program(a):
    return a * 1.5


# refused:
# float_literal.py:3:16: a float is not allowed in kernel-side code
#   return a * 1.5
#              ^^^
