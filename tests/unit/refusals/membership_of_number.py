# u32 a
def program(a):
    return 1 not in a


# refused:
# membership_of_number.py:3:21: 'in' needs numbers known when compiling, not u32
#   return 1 not in a
#                   ^
