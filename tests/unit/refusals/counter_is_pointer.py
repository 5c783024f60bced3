# u32 a
def program(a):
    i = counts.lookup(a)
    for i in range(3):
        a += 1
    return a


# refused:
# counter_is_pointer.py:4:5: 'i' is u64 *, not a number
#   for i in range(3):
#   ^^^^^^^^^^^^^^^^^^
#   hint: give the counter a name of its own
