# u32 a
def program(a):
    b = bpf.u8(a)
    b = a
    return b


# refused:
# name_changes_type.py:4:5: 'b' is u8; u32 does not fit
#   b = a
#   ^
#   hint: the first assignment fixes the type of a name
