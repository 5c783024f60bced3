# u32 length
def program(length):
    return lenght


# refused:
# unknown_name.py:3:12: there is no 'lenght'
#   return lenght
#          ^^^^^^
#   hint: did you mean length?
