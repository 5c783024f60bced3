def program():
    events.emit()


# refused:
# emit_missing.py:2:5: emit() needs pid
#   events.emit()
#   ^^^^^^^^^^^^^
