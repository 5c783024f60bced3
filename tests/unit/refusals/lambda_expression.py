# u32 a
def program(a):
    f = lambda x: x
    return f(a)


# refused:
# lambda_expression.py:3:9: 'lambda' is not allowed in kernel-side code
#   f = lambda x: x
#       ^^^^^^^^^^^
