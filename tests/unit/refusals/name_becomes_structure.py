# u32 a
def program(a):
    b = a
    b = Key(disk=a, flags=0)
    return b


# refused:
# name_becomes_structure.py:4:5: 'b' already is something else
#   b = Key(disk=a, flags=0)
#   ^
#   hint: give the second value a name of its own
