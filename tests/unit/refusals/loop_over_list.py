# u32 a
def program(a):
    for i in (1, 2):
        a += i
    return a


# refused:
# loop_over_list.py:3:14: 'for' over anything but range() is not allowed in kernel-side code
#   for i in (1, 2):
#            ^^^^^^
#   hint: write 'for i in range(CONSTANT):'
