# u64 a
def program(a):
    counts.update(a)


# refused:
# map_arguments.py:3:5: this method takes (key, value)
#   counts.update(a)
#   ^^^^^^^^^^^^^^^^
