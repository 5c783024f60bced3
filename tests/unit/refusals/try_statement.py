# u32 a
def program(a):
    try:
        return a
    finally:
        pass


# refused:
# try_statement.py:3:5: 'try' is not allowed in kernel-side code
#   try:
#   ^^^^
