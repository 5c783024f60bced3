# u32 a
def program(a):
    if a > 3:
        b = a
    return b


# refused:
# maybe_unassigned.py:5:12: 'b' may have no value here
#   return b
#          ^
#   hint: assign it on every path that leads here
