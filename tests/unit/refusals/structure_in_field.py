# u32 a
def program(a):
    k = keys.lookup(a)
    if k:
        k.disk = Key(disk=1, flags=2)


# refused:
# structure_in_field.py:5:9: Key cannot be kept as u32
#   k.disk = Key(disk=1, flags=2)
#   ^^^^^^
