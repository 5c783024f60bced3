# u32 a
def program(a):
    for i in range(3):
        b = a
    return b


# refused:
# unassigned_after_loop.py:5:12: 'b' may have no value here
#   return b
#          ^
#   hint: assign it on every path that leads here
