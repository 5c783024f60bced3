# u32 a
def program(a):
    return a + 36893488147419103232


# refused:
# literal_too_large.py:3:12: no type holds both u32 and 36893488147419103232
#   return a + 36893488147419103232
#          ^^^^^^^^^^^^^^^^^^^^^^^^
#   hint: numbers have 64 bits at most
