# u32 a
def program(a):
    return a()


# refused:
# call_of_number.py:3:12: u32 cannot be called
#   return a()
#          ^^^
