# u32 a
def program(a):
    events.emit(a)


# refused:
# emit_positional.py:3:17: fields are given by name
#   events.emit(a)
#               ^
