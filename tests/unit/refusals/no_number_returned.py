def program():
    return 'text'


# refused:
# no_number_returned.py:1:1: program() returns no number
#   def program():
#   ^^^^^^^^^^^^^^
