# u32 a
def program(a):
    return a + (1 << 64)


# refused:
# shift_of_literals.py:3:17: a shift by 64 bits
#   return a + (1 << 64)
#               ^^^^^^^
