# struct task_struct *task
def program(task):
    if task.thread_info:
        return 1


# refused:
# structure_as_condition.py:3:8: struct thread_info is no condition
#   if task.thread_info:
#      ^^^^^^^^^^^^^^^^
