# struct task_struct *task
def program(task):
    if task.comm == b'a\0b':
        return 1


# refused:
# text_with_nul.py:3:8: the text contains a NUL
#   if task.comm == b'a\0b':
#      ^^^^^^^^^^^^^^^^^^^^
