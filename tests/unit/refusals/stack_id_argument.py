# u32 a
def program(a):
    return stacks.stack_id(a)


# refused:
# stack_id_argument.py:3:12: stack_id() takes user=True or user=False
#   return stacks.stack_id(a)
#          ^^^^^^^^^^^^^^^^^^
