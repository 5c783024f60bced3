def program():
    row = execs.begin()
    other = execs.begin()
    row.emit(ret=1)
    other.emit(ret=2)


# refused:
# record_begun_twice.py:4:5: this record may have been sent already, or another one was begun
#   row.emit(ret=1)
#   ^^^^^^^^^^^^^^^
#   hint: begin() starts another one
