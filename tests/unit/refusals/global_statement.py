# u32 a
def program(a):
    global counter
    return a


# refused:
# global_statement.py:3:5: 'global' is not allowed in kernel-side code
#   global counter
#   ^^^^^^^^^^^^^^
