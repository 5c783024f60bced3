# u32 a
def program(a):
    return a[1:2]


# refused:
# slice.py:3:12: a slice is not allowed in kernel-side code
#   return a[1:2]
#          ^^^^^^
