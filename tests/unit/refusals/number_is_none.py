# u32 a
def program(a):
    return 1 if a is None else 0


# refused:
# number_is_none.py:3:17: u32 is never None
#   return 1 if a is None else 0
#               ^^^^^^^^^
