def program():
    row = execs.begin()
    other = execs.begin()
    row.emit(ret=1)
    other.emit(ret=2)


# refused:
# record_begun_twice.py:3:13: another Exec was begun here and not sent yet
#   other = execs.begin()
#           ^^^^^^^^^^^^^
#   hint: emit() it first
