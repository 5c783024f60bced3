def program():
    events.emit(pid=1, pidd=2)


# refused:
# emit_unknown.py:2:29: Event has no field 'pidd'
#   events.emit(pid=1, pidd=2)
#                           ^
#   hint: it has path, pid, uid
