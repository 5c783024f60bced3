# u32 a
def program(a):
    raise ValueError


# refused:
# raise_statement.py:3:5: 'raise' is not allowed in kernel-side code
#   raise ValueError
#   ^^^^^^^^^^^^^^^^
