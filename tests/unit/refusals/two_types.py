# u32 a, struct task_struct *task
def program(a, task):
    return a if a else task


# refused:
# two_types.py:3:12: the two sides have different types
#   return a if a else task
#          ^^^^^^^^^^^^^^^^
