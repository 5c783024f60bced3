# struct task_struct *task
def program(task):
    return task.pidd


# refused:
# unknown_member.py:3:12: struct task_struct has no member 'pidd'
#   return task.pidd
#          ^^^^^^^^^
#   hint: it has pid
