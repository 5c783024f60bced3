# u32 a
def program(a):
    b: int = a
    return b


# refused:
# annotated_assignment.py:3:5: an annotated assignment is not allowed in kernel-side code
#   b: int = a
#   ^^^^^^^^^^
