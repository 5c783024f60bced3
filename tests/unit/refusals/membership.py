# u32 a
def program(a):
    return a in "text"


# refused:
# membership.py:3:17: 'in' needs numbers known when compiling, not the text 'text'
#   return a in "text"
#               ^^^^^^
