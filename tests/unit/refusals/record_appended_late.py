# u64 a
def program(a):
    row = execs.begin()
    if a:
        row.emit(ret=2)
    row.append(bpf.comm())


# refused:
# record_appended_late.py:6:5: this record may have been sent already, or another one was begun
#   row.append(bpf.comm())
#   ^^^^^^^^^^^^^^^^^^^^^^
#   hint: begin() starts another one
