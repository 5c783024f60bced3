# struct task_struct *task
def program(task):
    task.pid = 1


# refused:
# write_to_kernel.py:3:5: a program cannot write to struct task_struct *
#   task.pid = 1
#   ^^^^^^^^
