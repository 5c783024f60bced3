# u32 a
def program(a):
    k = Key(disk=a)


# refused:
# record_missing.py:3:9: Key() needs flags
#   k = Key(disk=a)
#       ^^^^^^^^^^^
