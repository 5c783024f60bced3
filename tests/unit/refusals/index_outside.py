# struct task_struct *task
def program(task):
    return task.comm[16]


# refused:
# index_outside.py:3:12: index 16 is outside of u8[16]
#   return task.comm[16]
#          ^^^^^^^^^^^^^
