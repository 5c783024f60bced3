# u32 a
def program(a):
    keys.increment(a)


# refused:
# increment_of_record.py:3:5: increment() needs a map of 64-bit numbers
#   keys.increment(a)
#   ^^^^^^^^^^^^^^^^^
