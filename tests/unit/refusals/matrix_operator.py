# u32 a
def program(a):
    return a @ a


# refused:
# matrix_operator.py:3:12: '@' is not allowed in kernel-side code
#   return a @ a
#          ^^^^^
