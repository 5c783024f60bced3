def program():
    row = execs.begin()
    for i in range(3):
        execs.begin()
    row.emit(ret=2)


# refused:
# record_begun_in_loop.py:4:9: another Exec was begun outside of the loop and not sent yet
#   execs.begin()
#   ^^^^^^^^^^^^^
#   hint: emit() it first
