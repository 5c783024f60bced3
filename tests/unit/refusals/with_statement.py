# u32 a
def program(a):
    with a:
        return 1


# refused:
# with_statement.py:3:5: 'with' is not allowed in kernel-side code
#   with a:
#   ^^^^^^^
