# u32 a
def program(a):
    k = Key(disk=a, flags=0)
    k.size = 1


# refused:
# write_unknown_field.py:4:5: Key has no field 'size' to assign
#   k.size = 1
#   ^^^^^^
