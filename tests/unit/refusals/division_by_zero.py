# u32 a
def program(a):
    return a + 1 // 0


# refused:
# division_by_zero.py:3:16: division by zero
#   return a + 1 // 0
#              ^^^^^^
