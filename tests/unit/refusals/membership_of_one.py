# u32 a
def program(a):
    return a in (1,)


# refused:
# membership_of_one.py:3:17: 'in' with less than two values is not allowed in kernel-side code
#   return a in (1,)
#               ^^^^
