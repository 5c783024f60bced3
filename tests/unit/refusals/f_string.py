# u32 a
def program(a):
    events.emit(pid=a, path=f'{a}')


# refused:
# f_string.py:3:29: an f-string is not allowed in kernel-side code
#   events.emit(pid=a, path=f'{a}')
#                           ^^^^^^
