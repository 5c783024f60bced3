# u32 a
def program(a):
    for i in range(3):
        a += 1
    else:
        a = 0
    return a


# refused:
# loop_else.py:6:9: 'else' of a loop is not allowed in kernel-side code
#   a = 0
#   ^^^^^
