# u32 a
def program(a):
    return a.pid


# refused:
# member_of_number.py:3:12: u32 has no members, so no 'pid'
#   return a.pid
#          ^^^^^
