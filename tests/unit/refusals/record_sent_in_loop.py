# u64 a
def program(a):
    row = execs.begin()
    for i in range(3):
        if i == a:
            row.emit(ret=1)


# refused:
# record_sent_in_loop.py:6:13: this record was begun outside of the loop
#   row.emit(ret=1)
#   ^^^^^^^^^^^^^^^
#   hint: begin() it in the loop, too
