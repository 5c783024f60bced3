# u32 a
def program(a):
    for i, j in range(3):
        a += i
    return a


# refused:
# loop_two_names.py:3:9: a loop needs one plain name in kernel-side code
#   for i, j in range(3):
#       ^^^^
