# u32 a
def program(a):
    counts.increment(*a)


# refused:
# unpacked_arguments.py:3:22: '*' is not allowed in kernel-side code
#   counts.increment(*a)
#                    ^^
