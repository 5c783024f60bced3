# u32 a
def program(a):
    b = [1, 2]
    return a


# refused:
# list_display.py:3:9: a list is not allowed in kernel-side code
#   b = [1, 2]
#       ^^^^^^
