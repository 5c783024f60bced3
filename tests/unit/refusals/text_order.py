# struct task_struct *task
def program(task):
    if task.comm < 'a':
        return 1


# refused:
# text_order.py:3:8: text has no order
#   if task.comm < 'a':
#      ^^^^^^^^^^^^^^^
#   hint: '==' and '!=' only
