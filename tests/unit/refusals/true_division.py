# u32 a
def program(a):
    return a / 2


# refused:
# true_division.py:3:12: '/' is not allowed in kernel-side code
#   return a / 2
#          ^^^^^
#   hint: the kernel has no fractions; integer division is '//'
