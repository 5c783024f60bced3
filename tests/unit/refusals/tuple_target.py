# u32 a
def program(a):
    b, c = a, a
    return b


# refused:
# tuple_target.py:3:5: assignment to a tuple is not allowed in kernel-side code
#   b, c = a, a
#   ^^^^
