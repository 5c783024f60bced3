# u32 a
def program(a):
    return ~(a == 3)


# refused:
# inverted_truth.py:3:12: '~' of a truth value
#   return ~(a == 3)
#          ^^^^^^^^^
#   hint: the opposite is 'not x'
