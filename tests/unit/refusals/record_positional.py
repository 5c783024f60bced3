# u32 a
def program(a):
    k = Key(a, a)


# refused:
# record_positional.py:3:13: Key() takes its fields by name
#   k = Key(a, a)
#           ^
