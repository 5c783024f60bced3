# u64 a
def program(a):
    while execs.begin():
        a += 1


# refused:
# record_in_while.py:3:11: a record is begun or sent in a condition or in one of two values
#   while execs.begin():
#         ^^^^^^^^^^^^^
#   hint: use an 'if' statement
