# struct task_struct *task
def program(task):
    return task.thread_info + 1


# refused:
# structure_as_number.py:3:12: a number is needed here, not struct thread_info
#   return task.thread_info + 1
#          ^^^^^^^^^^^^^^^^
