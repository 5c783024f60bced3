def program():
    return 'a' + 'b'


# refused:
# python_objects.py:2:12: '+' on the text 'a' and the text 'b'
#   return 'a' + 'b'
#          ^^^^^^^^^
