# u64 a
def program(a):
    row = execs.begin()
    return row.emit(ret=1) if a else None


# refused:
# record_in_value.py:4:12: a record is begun or sent in a condition or in one of two values
#   return row.emit(ret=1) if a else None
#          ^^^^^^^^^^^^^^^
#   hint: use an 'if' statement
