# u32 a
def program(a):
    b = a
    del b


# refused:
# delete_statement.py:4:5: 'del' is not allowed in kernel-side code
#   del b
#   ^^^^^
