# u32 a
def program(a):
    return a + 'text'


# refused:
# number_needed.py:3:16: a number is needed here, not the text 'text'
#   return a + 'text'
#              ^^^^^^
