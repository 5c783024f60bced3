# u32 a
def program(a):
    a + 1
    return a


# refused:
# no_effect.py:3:5: an expression without effect is not allowed in kernel-side code
#   a + 1
#   ^^^^^
