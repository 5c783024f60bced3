# u32 a
def program(a):
    yield a


# refused:
# yield_expression.py:3:5: 'yield' is not allowed in kernel-side code
#   yield a
#   ^^^^^^^
