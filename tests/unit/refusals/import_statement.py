# u32 a
def program(a):
    import os
    return a


# refused:
# import_statement.py:3:5: 'import' is not allowed in kernel-side code
#   import os
#   ^^^^^^^^^
