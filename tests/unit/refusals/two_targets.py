# u32 a
def program(a):
    b = c = a
    return b


# refused:
# two_targets.py:3:5: an assignment to several targets is not allowed in kernel-side code
#   b = c = a
#   ^^^^^^^^^
