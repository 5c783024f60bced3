# u64 a
def program(a):
    counts.incremnt(a)


# refused:
# unknown_method.py:3:5: the MapObject has no 'incremnt'
#   counts.incremnt(a)
#   ^^^^^^^^^^^^^^^
#   hint: it has lookup, update, delete, increment, of_task, stack_id
