# u32 a
def program(a):
    k = Key(disk=a, flags=1, size=2)


# refused:
# record_unknown.py:3:35: Key has no field 'size'
#   k = Key(disk=a, flags=1, size=2)
#                                 ^
