# u64 a
def program(a):
    if a and execs.begin():
        return 1


# refused:
# record_in_condition.py:3:8: a record is begun or sent in a condition or in one of two values
#   if a and execs.begin():
#      ^^^^^^^^^^^^^^^^^^^
#   hint: use an 'if' statement
