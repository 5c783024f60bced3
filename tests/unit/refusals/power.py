# u32 a
def program(a):
    return a ** 2


# refused:
# power.py:3:12: '**' is not allowed in kernel-side code
#   return a ** 2
#          ^^^^^^
#   hint: a power of two is '1 << n'
