# u32 a, u32 b
def program(a, b):
    return 1 if a is b else 0


# refused:
# is_value.py:3:17: 'is' compares with None only
#   return 1 if a is b else 0
#               ^^^^^^
#   hint: use '==' for values
