# u64 a
def program(a):
    starts.delete(a)


# refused:
# wrong_key.py:3:19: u64 does not fit into Key
#   starts.delete(a)
#                 ^
