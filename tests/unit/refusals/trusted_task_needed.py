# struct task_struct *task
def program(task):
    p = storage.of_task(task)
    return 1


# refused:
# trusted_task_needed.py:3:25: task storage needs a trusted task
#   p = storage.of_task(task)
#                       ^^^^
