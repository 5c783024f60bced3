# u32 a
def program(a):
    if (b := a) > 3:
        return b


# refused:
# walrus.py:3:9: ':=' is not allowed in kernel-side code
#   if (b := a) > 3:
#       ^^^^^^
