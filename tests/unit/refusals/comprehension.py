# u32 a
def program(a):
    b = [x for x in range(3)]
    return a


# refused:
# comprehension.py:3:9: a comprehension is not allowed in kernel-side code
#   b = [x for x in range(3)]
#       ^^^^^^^^^^^^^^^^^^^^^
