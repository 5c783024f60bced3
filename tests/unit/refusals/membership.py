# u32 a
def program(a):
    return a in (1, 2)


# refused:
# membership.py:3:12: 'in' is not allowed in kernel-side code
#   return a in (1, 2)
#          ^^^^^^^^^^^
#   hint: write 'x == 1 or x == 2'
