# u32 a
def program(a):
    for i in range(a):
        a += 1
    return a


# refused:
# range_not_constant.py:3:20: the bounds of range() must be constants
#   for i in range(a):
#                  ^
#   hint: take the largest number and leave the loop with 'break'
