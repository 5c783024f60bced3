# u32 a
def program(a):
    events.emit(pid=1, path=a)


# refused:
# emit_number_as_text.py:3:29: u32 is no text
#   events.emit(pid=1, path=a)
#                           ^
