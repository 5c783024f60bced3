# u32 a
def program(a):
    return a[0]


# refused:
# index_of_number.py:3:12: u32 has no elements
#   return a[0]
#          ^^^^
