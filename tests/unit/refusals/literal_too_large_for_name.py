# u32 a
def program(a):
    b = bpf.u8(a)
    b = 256
    return b


# refused:
# literal_too_large_for_name.py:4:5: 'b' is u8; the number 256 does not fit
#   b = 256
#   ^
#   hint: the first assignment fixes the type of a name
